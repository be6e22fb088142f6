// Before anything is drawn: "system" becomes light or dark, as the device is now and whenever it changes.
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const theme = root.dataset.theme;
    const isDark = theme === "dark" || (theme !== "light" && dark.matches);
    root.dataset.bsTheme = isDark ? "dark" : "light";
    document.dispatchEvent(new CustomEvent("mien:theme"));
  };
  dark.addEventListener("change", apply);
  apply();
})();
