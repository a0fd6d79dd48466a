CREATE TABLE "answer_parts" (
	"answer_id" text NOT NULL,
	"position" integer NOT NULL,
	"chunks" text NOT NULL,
	"count" integer NOT NULL,
	CONSTRAINT "answer_parts_answer_id_position_pk" PRIMARY KEY("answer_id","position")
);
--> statement-breakpoint
CREATE TABLE "turns" (
	"answer_id" text PRIMARY KEY NOT NULL,
	"conversation_id" text NOT NULL,
	"owner" text NOT NULL,
	"kind" text NOT NULL,
	"message_id" text NOT NULL,
	"opened" boolean NOT NULL,
	"replaces" text,
	"model" text NOT NULL,
	"payer" text,
	"held" bigint NOT NULL,
	"price_version" text NOT NULL,
	"used" bigint DEFAULT 0 NOT NULL,
	"input_tokens" integer DEFAULT 0 NOT NULL,
	"cached_input_tokens" integer DEFAULT 0 NOT NULL,
	"output_tokens" integer DEFAULT 0 NOT NULL,
	"stop_requested" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"beat_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp (3) with time zone,
	CONSTRAINT "turns_message" UNIQUE("conversation_id","message_id")
);
--> statement-breakpoint
ALTER TABLE "credit_accounts" ADD COLUMN "held" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "credit_entries" ADD COLUMN "held" bigint;--> statement-breakpoint
ALTER TABLE "credit_entries" ADD COLUMN "input_tokens" integer;--> statement-breakpoint
ALTER TABLE "credit_entries" ADD COLUMN "cached_input_tokens" integer;--> statement-breakpoint
ALTER TABLE "credit_entries" ADD COLUMN "output_tokens" integer;--> statement-breakpoint
ALTER TABLE "credit_entries" ADD COLUMN "price_version" text;--> statement-breakpoint
CREATE UNIQUE INDEX "turns_opening_message" ON "turns" USING btree ("owner","message_id") WHERE "turns"."opened";--> statement-breakpoint
CREATE INDEX "turns_beat" ON "turns" USING btree ("beat_at");--> statement-breakpoint
CREATE INDEX "messages_id" ON "messages" USING btree ("id");