import { randomBytes } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import path from "node:path";
import { HeadgateError } from "../core/errors.ts";
import { checkOptions } from "../core/options.ts";
import { show } from "../core/show.ts";
import { checkWholeNumber } from "../core/whole-number.ts";
import type { LineWriter } from "./line-buffer.ts";

export interface LogFilesOptions {
  /** The size in bytes at which a file is closed and a new one begun: from 10,000 up. Default: 100,000,000. */
  maxBytes?: number;
  /** The maximum number of files, including the current one: from 2 up. Default: 10. The oldest files are deleted. */
  maxFiles?: number;
}

const folderPrefix = "decisions-";
const extension = ".jsonl";

/**
 * Writes a log to files. New files and folders are readable only by their owner.
 *
 * @param where a file whose name ends in `.jsonl`, for one process; or a folder, in which each process writes its own
 *   file. `maxFiles` then applies to all of them together.
 * @throws HeadgateError `option-invalid`
 */
export function logFiles(where: string, options: LogFilesOptions = {}): LineWriter {
  if (typeof where !== "string" || where === "")
    throw new HeadgateError(
      "option-invalid",
      `logFiles takes the path of a folder, or of a file, got ${show(where)}.`,
    );
  checkOptions("logFiles", options, ["maxBytes", "maxFiles"], "option-invalid");
  const { maxBytes = 100_000_000, maxFiles = 10 } = options;
  checkWholeNumber("maxBytes", maxBytes, 10_000, Number.MAX_SAFE_INTEGER);
  checkWholeNumber("maxFiles", maxFiles, 2, 10_000);
  const { folder, base, isOurs } = placesOf(where);
  const current = path.join(folder, `${base}${extension}`);
  let file: FileHandle | undefined;
  let inode = 0;
  let size = 0;
  /** Whether the file may end in the middle of a line. */
  let torn = false;
  let rotations = 0;

  async function openFile(head: () => string): Promise<FileHandle> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const opened = await open(current, "a", 0o600);
    const { size: found, ino } = await opened.stat();
    [file, size, inode] = [opened, found, ino];
    torn = found > 0 && torn;
    // A file from an earlier run may end in the middle of a line.
    if (found === 0) await append(opened, head());
    else if (!torn) torn = !(await endsInLineFeed(current, found));
    return opened;
  }

  /** Writes all lines or none: a partial write, for example on a full disk, is truncated again. */
  async function append(to: FileHandle, lines: string): Promise<void> {
    const bytes = Buffer.from(torn ? `\n${lines}` : lines);
    try {
      let at = 0;
      while (at < bytes.length) at += (await to.write(bytes, at)).bytesWritten;
      size += bytes.length;
      torn = false;
    } catch (error) {
      torn = await to.truncate(size).then(
        () => torn,
        () => true,
      );
      throw error;
    }
  }

  async function close(): Promise<void> {
    const closing = file;
    file = undefined;
    await closing?.close();
  }

  async function rotate(): Promise<void> {
    await close();
    rotations += 1;
    const stamp = new Date().toISOString().replace(/[-:.]/g, "");
    await rename(current, path.join(folder, `${base}-${stamp}-${rotations}${extension}`));
    await prune();
  }

  async function prune(): Promise<void> {
    const names = (await readdir(folder)).filter(isOurs);
    const files = await Promise.all(
      names.map(async (name) => {
        const file = path.join(folder, name);
        const found = await stat(file).catch(() => undefined);
        return { file, changedMs: found?.mtimeMs ?? Number.POSITIVE_INFINITY };
      }),
    );
    const oldest = files.sort((a, b) => a.changedMs - b.changedMs);
    // `+ 1` counts the new file that is created next.
    for (const { file } of oldest.slice(0, Math.max(0, oldest.length + 1 - maxFiles)))
      await unlink(file).catch(() => {});
  }

  /** Whether the file is still in place: it may have been moved or deleted. */
  async function isThere(): Promise<boolean> {
    const found = await stat(current).catch(() => undefined);
    return found?.ino === inode;
  }

  return {
    async write(lines, head) {
      if (file !== undefined && !(await isThere())) await close();
      if (file !== undefined && size > 0 && size + lines.length > maxBytes) await rotate();
      let to = file ?? (await openFile(head));
      if (size > lines.length && size + lines.length > maxBytes) {
        await rotate();
        to = await openFile(head);
      }
      await append(to, lines);
    },
    close,
  };
}

function placesOf(where: string): { folder: string; base: string; isOurs: (name: string) => boolean } {
  if (!where.endsWith(extension)) {
    const base = `${folderPrefix}${randomBytes(4).toString("hex")}`;
    return {
      folder: where,
      base,
      isOurs: (name) => name.startsWith(folderPrefix) && name.endsWith(extension),
    };
  }
  const base = path.basename(where, extension);
  return {
    folder: path.dirname(where),
    base,
    isOurs: (name) =>
      name === `${base}${extension}` || (name.startsWith(`${base}-`) && name.endsWith(extension)),
  };
}

async function endsInLineFeed(file: string, size: number): Promise<boolean> {
  const reading = await open(file, "r");
  try {
    const { buffer } = await reading.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] === 10;
  } finally {
    await reading.close();
  }
}
