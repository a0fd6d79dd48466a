/** The texts of the page's script and style sheet. */
export interface PageFiles {
  script: string;
  style: string;
}

export function pageFiles(): Promise<PageFiles>;
