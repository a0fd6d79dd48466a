import { sql } from "drizzle-orm";
import type { Database } from "./connect.ts";
import { settings } from "./schema.ts";

/** Writes a value, to detect a database that answers but is read-only or on a full disk. */
export async function probeWrites(database: Database): Promise<void> {
  await database
    .insert(settings)
    .values({ name: "write-probe", value: "1" })
    .onConflictDoUpdate({
      target: settings.name,
      set: { value: sql`(${settings.value}::bigint % 1000000 + 1)::text` },
    });
}
