// How the readable page looks, in light and dark, on paper and on a phone. A file of its own: the page has no inline style.

export const docsStyle = `
:root {
  color-scheme: light dark;
  --ink: light-dark(#14202e, #e6ecf2);
  --soft: light-dark(#4a5868, #aab6c4);
  --line: light-dark(#c9d2dc, #3a4654);
  --paper: light-dark(#ffffff, #10171f);
  --ground: light-dark(#eef2f6, #18212b);
  --link: light-dark(#0b4f9e, #8fc1ff);
  font: 1rem/1.55 system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif;
}
* { box-sizing: border-box; }
body {
  margin: 0; color: var(--ink); background: var(--paper); overflow-wrap: anywhere;
  display: grid; grid-template: auto 1fr / 20rem minmax(0, 1fr);
}
header { grid-column: 1 / -1; padding: 0.75rem 1.5rem; color: #fff; background: #0f2742; }
header h1 { margin: 0; font-size: 1.25rem; }
header p { margin: 0; }
header a { color: #fff; }
nav { position: sticky; top: 0; max-height: 100vh; overflow-y: auto; padding: 1rem; background: var(--ground); font-size: 0.875rem; }
nav h2 { margin: 0.75rem 0 0.25rem; font-size: 1rem; }
nav ul { margin: 0; padding: 0; list-style: none; }
nav li a { display: block; min-height: 1.5rem; padding: 0.25rem 0; text-decoration: none; }
nav small { color: var(--soft); }
main { max-width: 60rem; padding: 0.5rem 1.5rem 4rem; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 0.5rem; top: 0.5rem; padding: 0.5rem; background: var(--paper); }
article { margin: 1.5rem 0; padding-top: 0.5rem; border-top: 1px solid var(--line); }
h3 { margin: 0.5rem 0; font-size: 1.125rem; }
h4 { margin: 1rem 0 0.25rem; font-size: 1rem; }
.summary { margin: 0; font-weight: 600; }
code, pre { font: 0.9em/1.5 ui-monospace, Menlo, Consolas, monospace; }
pre { margin: 0.25rem 0; padding: 0.75rem; background: var(--ground); white-space: pre-wrap; }
table { width: 100%; margin: 0.75rem 0; border-collapse: collapse; font-size: 0.9rem; }
caption { padding: 0.25rem 0; font-weight: 600; text-align: start; }
th, td { padding: 0.35rem 0.5rem; border: 1px solid var(--line); text-align: start; vertical-align: top; font-weight: 400; }
thead th { background: var(--ground); }
tbody th { width: 30%; }
td:nth-child(2) { width: 30%; }
small, .must { color: var(--soft); font-size: 0.85em; }
dl { display: grid; grid-template-columns: 3rem 1fr; gap: 0.25rem 0.75rem; margin: 0; }
dt { font-weight: 600; }
dd { margin: 0; min-width: 0; }
b { font: 700 0.85em/1.5 ui-monospace, Menlo, Consolas, monospace; }
@media (max-width: 48rem) {
  body { display: block; }
  nav { position: static; max-height: none; }
  main { padding: 0.5rem 0.75rem 3rem; }
}
@media print {
  nav { display: none; }
  body { display: block; }
  article { break-inside: avoid; }
}
`
