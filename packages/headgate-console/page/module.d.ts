/** The page's script and style, as files of one text each. */
export interface PageFiles {
  script: string;
  style: string;
}

export function pageFiles(): Promise<PageFiles>;
