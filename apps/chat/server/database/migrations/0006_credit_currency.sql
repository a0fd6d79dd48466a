ALTER TABLE "credit_accounts" ADD COLUMN "currency" text;--> statement-breakpoint
ALTER TABLE "credit_codes" ADD COLUMN "currency" text;--> statement-breakpoint
ALTER TABLE "credit_entries" ADD COLUMN "currency" text;