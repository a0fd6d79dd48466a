export {
  type DocumentFunctions,
  type LayerDocument,
  layersOf,
  type PolicyDocument,
  readPolicyDocument,
  writePolicyDocument,
} from "./document.ts";
export { policySchema } from "./schema.ts";
