export {
  type NearNotice,
  type Webhook,
  type WebhookOptions,
  type WebhookStatus,
  webhook,
} from "./webhook.ts";
