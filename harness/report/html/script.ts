/**
 * Comfort only; the report is whole without it. Opens what is folded away for whoever prints, and what a link leads to.
 */
export const REPORT_SCRIPT = `
addEventListener('beforeprint', () => { for (const one of document.querySelectorAll('details')) one.open = true; });
const reveal = () => {
  const id = decodeURIComponent(location.hash.slice(1));
  for (let one = id && document.getElementById(id); one; one = one.parentElement) if (one.localName === 'details') one.open = true;
};
addEventListener('hashchange', reveal);
reveal();
`;
