import { StartError } from "../start-error.ts";

/** Variables that cannot be read. Every wrong one is named at once, so that the operator mends them in one go. */
export class ConfigError extends StartError {
  /** One sentence a variable: its name, its value unless it is a secret, and what would be right. */
  readonly sentences: readonly string[];

  constructor(sentences: readonly string[]) {
    super(sentences.join("\n"));
    this.sentences = sentences;
  }
}
