/** Gives each block of code a button that copies it. */
export function addCopyButtons(): void {
  if (!navigator.clipboard) return; // Only secure pages have one.
  const told = document.createElement("div");
  told.className = "unseen";
  told.setAttribute("role", "status");
  document.body.append(told);
  for (const block of document.querySelectorAll<HTMLElement>(".code")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const text = block.querySelector("code")?.textContent ?? "";
      const outcome = await navigator.clipboard.writeText(text).then(
        () => "Copied",
        () => "Could not copy",
      );
      button.textContent = outcome;
      told.textContent = outcome;
      setTimeout(() => {
        button.textContent = "Copy";
        told.textContent = "";
      }, 2_000);
    });
    block.append(button);
  }
}
