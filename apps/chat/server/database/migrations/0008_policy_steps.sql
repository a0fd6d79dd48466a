CREATE TABLE "policy_steps" (
	"limiter" text NOT NULL,
	"revision" integer NOT NULL,
	"what" text NOT NULL,
	"document" text,
	"hash" text,
	"before" text,
	"parent" integer,
	"reason" text,
	"by" text,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "policy_steps_limiter_revision_pk" PRIMARY KEY("limiter","revision")
);
--> statement-breakpoint
CREATE INDEX "policy_steps_at" ON "policy_steps" USING btree ("at");