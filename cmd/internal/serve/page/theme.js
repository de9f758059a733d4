// The colours that were chosen, before anything is drawn: a module would come too late.
try {
  const { theme } = JSON.parse(localStorage.getItem("whisper") ?? "{}");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system's colours are used.
}
