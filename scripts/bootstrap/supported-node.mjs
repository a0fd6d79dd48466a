// Old versions of Node must be able to parse this file: use plain syntax only.

const OLDEST_MAJOR = 20;

/** Exits with a message if this Node is too old to prepare the repository. */
export function requireSupportedNode() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= OLDEST_MAJOR) return;
  console.error(
    `This is Node ${process.versions.node}, but Headgate needs ${OLDEST_MAJOR} or newer: https://nodejs.org/en/download`,
  );
  process.exit(1);
}
