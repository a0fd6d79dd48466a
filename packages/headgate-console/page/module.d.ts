/** The text of the page's script and style. */
export interface PageFiles {
  script: string;
  style: string;
}

export function pageFiles(): Promise<PageFiles>;
