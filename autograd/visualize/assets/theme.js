// Light or dark: the system's, unless the notebook around says otherwise or the button is pressed.

const isDark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

const setTheme = (theme) => {
  document.documentElement.dataset.theme = theme;
};

window.addEventListener("message", ({ data }) => {
  if (["light", "dark"].includes(data?.theme)) setTheme(data.theme);
});
