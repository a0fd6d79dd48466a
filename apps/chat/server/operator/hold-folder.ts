import { hostname } from "node:os";
import { holdFolder } from "../database/folder-lock.ts";
import { type OperatorServer, startOperatorServer } from "./server.ts";

/**
 * Locks an embedded database's folder for this process, and starts a server for the operator's commands.
 *
 * @throws {FolderInUseError} if another process holds the folder
 */
export async function holdEmbeddedFolder(folder: string): Promise<OperatorServer> {
  const door = await startOperatorServer();
  try {
    const { url, token } = door;
    const release = await holdFolder(folder, {
      pid: process.pid,
      hostname: hostname(),
      operator: { url, token },
    });
    return {
      ...door,
      async close() {
        await release();
        await door.close();
      },
    };
  } catch (error) {
    await door.close();
    throw error;
  }
}
