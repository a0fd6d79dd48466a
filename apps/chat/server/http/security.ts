import type { MiddlewareHandler } from "hono";
import type { ServiceEnv } from "./service-env.ts";

/** The page loads only its own files. Scripts may set styles, to position menus and dialogs. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const ONE_YEAR_SECONDS = 31_536_000;

/** Sets the security header fields for browsers. */
export function securityHeaders(publicUrl: string | null): MiddlewareHandler<ServiceEnv> {
  const isHttps = publicUrl?.startsWith("https://") ?? false;
  return async (c, next) => {
    await next();
    c.header("Content-Security-Policy", CONTENT_SECURITY_POLICY);
    c.header("X-Content-Type-Options", "nosniff");
    c.header("X-Frame-Options", "DENY");
    c.header("Referrer-Policy", "same-origin");
    c.header("Cross-Origin-Opener-Policy", "same-origin");
    c.header("Cross-Origin-Resource-Policy", "same-origin");
    c.header("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
    // Responses of the API are personal and not cacheable.
    const isJson = c.res.headers.get("Content-Type")?.startsWith("application/json");
    if (isJson && !c.res.headers.has("Cache-Control")) c.header("Cache-Control", "no-store");
    if (isHttps) c.header("Strict-Transport-Security", `max-age=${ONE_YEAR_SECONDS}`);
  };
}
