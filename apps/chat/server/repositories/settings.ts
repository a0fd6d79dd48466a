import { eq } from "drizzle-orm";
import type { Database } from "../database/connect.ts";
import { settings } from "../database/schema.ts";

/**
 * Reads a setting, or creates it. If several processes create it at once, all of them get the first value.
 *
 * @param make creates the value
 */
export async function settingOrNew(database: Database, name: string, make: () => string): Promise<string> {
  await database.insert(settings).values({ name, value: make() }).onConflictDoNothing();
  const [row] = await database.select().from(settings).where(eq(settings.name, name));
  if (!row) throw new Error(`The setting ${name} was not kept.`);
  return row.value;
}

/** Reads a setting, if it exists, and locks it until the transaction ends. */
export async function lockSetting(transaction: Database, name: string): Promise<string | undefined> {
  const [row] = await transaction.select().from(settings).where(eq(settings.name, name)).for("update");
  return row?.value;
}

export async function updateSetting(transaction: Database, name: string, value: string): Promise<void> {
  await transaction.update(settings).set({ value }).where(eq(settings.name, name));
}
