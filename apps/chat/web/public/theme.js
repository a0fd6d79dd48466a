// Runs before the first paint: see src/design/theme.ts, which writes the value.
(() => {
  try {
    const theme = localStorage.getItem("headgate.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is blocked: use the system's theme.
  }
})();
