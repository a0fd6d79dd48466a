/** Has the button open the navigation where the screen is too narrow to show it always. */
export function addDrawer(button: HTMLButtonElement): void {
  const { body } = document;
  body.classList.add("scripted");
  const set = (isOpen: boolean) => {
    body.classList.toggle("open", isOpen);
    button.setAttribute("aria-expanded", String(isOpen));
  };
  button.addEventListener("click", () => {
    set(!body.classList.contains("open"));
    if (body.classList.contains("open"))
      document.querySelector<HTMLElement>("#ui-navigation [aria-current], #ui-navigation a")?.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !body.classList.contains("open")) return;
    set(false);
    button.focus();
  });
  document.addEventListener("click", (event) => {
    const isOutside = event.target instanceof Element && !event.target.closest("#ui-navigation, #ui-menu");
    if (isOutside) set(false);
  });
}
