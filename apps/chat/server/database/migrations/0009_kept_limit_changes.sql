ALTER TABLE "limit_changes" DROP CONSTRAINT "limit_changes_user_id_user_id_fk";
--> statement-breakpoint
ALTER TABLE "limit_changes" ADD CONSTRAINT "limit_changes_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."user"("id") ON DELETE set null ON UPDATE no action;