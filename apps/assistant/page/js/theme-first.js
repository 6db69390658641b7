// Before anything is drawn, so that a chosen colour scheme does not flash in.
{
  let chosen = null;
  try { chosen = localStorage.getItem("theme"); } catch { /* storage is blocked: as the system */ }
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
}
