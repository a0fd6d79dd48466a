import { StartError } from "../start-error.ts";

/** Invalid environment variables. The error lists all of them, so that the operator can fix them at once. */
export class ConfigError extends StartError {
  /** One sentence per variable: its name, its value unless it is a secret, and the valid values. */
  readonly sentences: readonly string[];

  constructor(sentences: readonly string[]) {
    super(sentences.join("\n"));
    this.sentences = sentences;
  }
}
