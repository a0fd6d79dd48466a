// This file is read by any Node there is, however old: plain syntax only.

const OLDEST_MAJOR = 20;

/** Ends the process with a sentence when the Node that runs it is too old to prepare the repository. */
export function requireSupportedNode() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= OLDEST_MAJOR) return;
  console.error(
    `This is Node ${process.versions.node}, and Headgate needs ${OLDEST_MAJOR} or newer: https://nodejs.org/en/download`,
  );
  process.exit(1);
}
