CREATE TABLE "process_summaries" (
	"process_id" text PRIMARY KEY NOT NULL,
	"summary" text NOT NULL,
	"beat_at" timestamp (3) with time zone NOT NULL
);
