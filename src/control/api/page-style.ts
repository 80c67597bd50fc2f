/** Narrow first: a phone at three in the morning. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 72rem; padding: 0.75rem; overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; margin: 0 0 0.25rem; } h2 { font-size: 1.1rem; margin: 1.5rem 0 0.5rem; }
.bad { color: #b00020; font-weight: 600; } .good { color: #1b6e2e; }
@media (prefers-color-scheme: dark) { .bad { color: #ff8a80; } .good { color: #81c995; } }
table { border-collapse: collapse; width: 100%; } th { text-align: left; }
td, th { padding: 0.3rem 0.5rem; border-bottom: 1px solid #8886; vertical-align: top; }
form { display: grid; gap: 0.5rem; border: 1px solid #8888; border-radius: 0.5rem; padding: 0.75rem; max-width: 32rem; }
label { display: grid; gap: 0.15rem; } input, select, button { font: inherit; padding: 0.45rem; min-width: 0; }
button { font-weight: 600; min-height: 2.75rem; } #stop button:not([type]) { background: #b00020; color: #fff; border: 0; border-radius: 0.35rem; }
#preview p, #preview ul { margin: 0.25rem 0; } #preview button { display: block; width: 100%; margin: 0.25rem 0; text-align: left; }
form, .live { display: none; } .scripted form { display: grid; } .scripted .live { display: inline; } .scripted h2.live { display: block; }
input[type=checkbox] { justify-self: start; margin: 0.2rem 0; }
@media (max-width: 45rem) {
  thead { display: none; } tr { display: block; border: 1px solid #8886; border-radius: 0.5rem; margin: 0.5rem 0; padding: 0.25rem; }
  td { display: grid; grid-template-columns: 5rem 1fr; border: 0; padding: 0.15rem 0.35rem; }
  td::before { content: attr(data-label); opacity: 0.7; }
}
`;
