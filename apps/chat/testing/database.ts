import { createHash } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import type { OpenDatabase } from "../server/database/connect.ts";
import { openPglite } from "../server/database/embedded.ts";

/** How long it may take to create the first database on a busy machine. Later ones are copies, and take a second. */
export const DATABASE_START_MS = 120_000;

const migrations = fileURLToPath(new URL("../server/database/migrations", import.meta.url));
const packageFile = fileURLToPath(new URL("../package.json", import.meta.url));

/**
 * Opens an empty database in memory, or in an empty folder, with every table. Creating one is slow, so the first one is kept in the temporary
 * folder. It is recreated when migrations or versions change.
 */
export async function openTestDatabase(folder?: string, stuckMs?: number): Promise<OpenDatabase> {
  const template = path.join(tmpdir(), `headgate-test-database-${fingerprint()}.tgz`);
  if (!existsSync(template)) await createTemplate(template);
  const files = { loadDataDir: new Blob([readFileSync(template)]) };
  return openPglite(folder === undefined ? files : { ...files, dataDir: folder }, stuckMs);
}

async function createTemplate(template: string): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "headgate-test-database-"));
  await (await openPglite({ dataDir: folder })).close();
  const client = await PGlite.create(folder);
  const copy = await client.dumpDataDir("gzip");
  await client.close();
  // Write to a temporary file first, so that a test that runs at the same time never reads half of it.
  const draft = `${template}.${process.pid}`;
  writeFileSync(draft, Buffer.from(await copy.arrayBuffer()));
  renameSync(draft, template);
  rmSync(folder, { recursive: true, force: true });
}

function fingerprint(): string {
  const files = readdirSync(migrations).filter((name) => name.endsWith(".sql"));
  const hash = createHash("sha256").update(readFileSync(packageFile));
  for (const name of files.sort()) hash.update(readFileSync(path.join(migrations, name)));
  return hash.digest("hex").slice(0, 16);
}
