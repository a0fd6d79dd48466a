import { familyTopics } from "./family.ts";
import { investmentTopics } from "./investments.ts";
import { pensionTopics } from "./pensions.ts";
import { statutoryTopics } from "./statutory.ts";
import type { Topic } from "./topic.ts";
import { workTopics } from "./work.ts";

/** The first topic that can answer does. */
export const topics: readonly Topic[] = [
  ...statutoryTopics,
  ...familyTopics,
  ...pensionTopics,
  ...investmentTopics,
  ...workTopics,
];
