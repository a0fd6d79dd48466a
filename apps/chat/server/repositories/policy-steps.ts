import { and, desc, eq, getTableColumns, ne, sql } from "drizzle-orm";
import type { PolicyStep } from "headgate-console";
import type { Database } from "../database/connect.ts";
import { policySteps } from "../database/schema.ts";

export type PolicyStepRow = typeof policySteps.$inferSelect;

/** @returns whether the step was added; another step with this revision may have been first */
export async function insertPolicyStep(
  database: Database,
  row: typeof policySteps.$inferInsert,
): Promise<boolean> {
  const rows = await database
    .insert(policySteps)
    .values(row)
    .onConflictDoNothing()
    .returning({ revision: policySteps.revision });
  return rows.length > 0;
}

/** Returns, for each limiter, the last step that changed its policy and the last that changed its shadow. */
export async function listLastPolicySteps(database: Database): Promise<PolicyStepRow[]> {
  const isOfShadow = sql`${policySteps.what} in ('shadow', 'end-shadow')`;
  return database
    .selectDistinctOn([policySteps.limiter, isOfShadow])
    .from(policySteps)
    .where(ne(policySteps.what, "plans"))
    .orderBy(policySteps.limiter, isOfShadow, desc(policySteps.revision));
}

export async function findPolicyStep(
  database: Database,
  limiter: string,
  revision: number,
): Promise<PolicyStepRow | undefined> {
  const [row] = await database
    .select()
    .from(policySteps)
    .where(and(eq(policySteps.limiter, limiter), eq(policySteps.revision, revision)));
  return row;
}

export async function findLastPolicyStep(
  database: Database,
  limiter: string,
): Promise<PolicyStepRow | undefined> {
  const [row] = await database
    .select()
    .from(policySteps)
    .where(eq(policySteps.limiter, limiter))
    .orderBy(desc(policySteps.revision))
    .limit(1);
  return row;
}

/** Returns the steps, the newest first. */
export async function listPolicySteps(database: Database, most: number): Promise<PolicyStepRow[]> {
  return database
    .select()
    .from(policySteps)
    .orderBy(desc(policySteps.at), desc(policySteps.revision))
    .limit(most);
}

/** Returns the steps without the policies, because ten thousand policies may be hundreds of megabytes. */
export async function listPolicyChanges(
  database: Database,
  most: number,
): Promise<Omit<PolicyStepRow, "document">[]> {
  const { document: _, ...columns } = getTableColumns(policySteps);
  return database
    .select(columns)
    .from(policySteps)
    .orderBy(desc(policySteps.at), desc(policySteps.revision))
    .limit(most);
}

/** Converts a row for the console; `undefined` if it is not a limiter's step. */
export function stepOf({ what, document, by, at, ...rest }: PolicyStepRow): PolicyStep | undefined {
  if (what === "plans") return undefined;
  return {
    ...rest,
    what,
    document: document === null ? null : JSON.parse(document),
    by: by ?? "",
    at: at.getTime(),
  };
}
