import { StartError } from "../start-error.ts";

/** Invalid variables. The error names all of them, so that the operator can fix them in one go. */
export class ConfigError extends StartError {
  /** One sentence per variable: its name, its value unless it is a secret, and what would be right. */
  readonly sentences: readonly string[];

  constructor(sentences: readonly string[]) {
    super(sentences.join("\n"));
    this.sentences = sentences;
  }
}
