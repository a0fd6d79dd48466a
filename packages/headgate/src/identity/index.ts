export { type BearerIdentityOptions, bearerIdentity } from "./bearer.ts";
export { type Identified, type IdentifyOptions, identify, type VerifiedIdentity } from "./identify.ts";
export { type SignedCookieOptions, signCookie, signedCookieIdentity } from "./signed-cookie.ts";
