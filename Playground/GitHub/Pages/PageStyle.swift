/// How the pages look.
enum PageStyle {
    static let text = """
        :root {
          color-scheme: light dark;
          --ground: oklch(98.5% .003 250); --paper: oklch(100% 0 0); --ink: oklch(25% .02 260);
          --soft: oklch(47% .02 260); --line: oklch(88% .008 260); --band: oklch(96.5% .006 260);
          --link: oklch(47% .15 255); --open: oklch(46% .12 150); --closed: oklch(46% .16 300);
          --plus: oklch(95% .05 150); --minus: oklch(95% .04 25); --accent: oklch(46% .12 150);
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ground: oklch(19% .012 260); --paper: oklch(22.5% .014 260); --ink: oklch(92% .008 260);
            --soft: oklch(72% .015 260); --line: oklch(34% .016 260); --band: oklch(26.5% .016 260);
            --link: oklch(78% .11 250); --open: oklch(50% .12 150); --closed: oklch(52% .16 300);
            --plus: oklch(29% .05 150); --minus: oklch(29% .06 25); --accent: oklch(50% .12 150);
          }
        }
        * { box-sizing: border-box; }
        body {
          margin: 0 auto; padding: 0 16px 48px; max-width: 58rem; background: var(--ground); color: var(--ink);
          font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
        }
        a { color: var(--link); }
        :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
        .bar { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: baseline; padding: 16px 0; }
        .bar a { font-weight: 650; color: inherit; text-decoration: none; }
        .bar span, .soft, .hint { color: var(--soft); }
        h1 { font-size: 1.5rem; line-height: 1.25; margin: 8px 0; font-weight: 600; }
        h2 { font-size: 1.125rem; margin: 32px 0 8px; }
        h1 .number { color: var(--soft); font-weight: 400; }
        .row { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; margin: 8px 0; }
        .state {
          display: inline-flex; gap: 6px; align-items: center; padding: 3px 12px; border-radius: 999px;
          color: white; background: var(--open); font-size: .9rem; font-weight: 600;
        }
        .state.closed { background: var(--closed); }
        .box, .comment {
          background: var(--paper); border: 1px solid var(--line); border-radius: 6px; margin: 16px 0;
        }
        .box { padding: 12px 16px; }
        .comment > header {
          display: flex; flex-wrap: wrap; gap: 2px 8px; align-items: center; padding: 8px 16px;
          background: var(--band); border-bottom: 1px solid var(--line); border-radius: 6px 6px 0 0;
          font-size: .9rem;
        }
        .comment > header img { width: 24px; height: 24px; }
        .comment > header a { color: var(--soft); }
        .comment .text { padding: 8px 16px 12px; }
        .badge { border: 1px solid var(--line); border-radius: 999px; padding: 0 8px; font-size: .8rem; color: var(--soft); }
        .text > :first-child { margin-top: 4px; } .text > :last-child { margin-bottom: 0; }
        .text p { margin: 8px 0; max-width: 70ch; }
        .text ul, .text ol { padding-left: 24px; margin: 8px 0; }
        code { background: var(--band); border-radius: 4px; padding: 1px 5px; font: .875em ui-monospace, monospace; }
        pre {
          background: var(--band); border-radius: 6px; padding: 12px; overflow-x: auto; margin: 8px 0;
          font: .85rem/1.45 ui-monospace, monospace;
        }
        pre code { padding: 0; background: none; font: inherit; }
        blockquote { margin: 8px 0; padding-left: 12px; border-left: 3px solid var(--line); color: var(--soft); }
        summary { cursor: pointer; min-height: 24px; }
        .signs { display: flex; flex-wrap: wrap; gap: 8px; padding: 0 16px 12px; margin: 0; list-style: none; }
        .signs li { border: 1px solid var(--line); border-radius: 999px; padding: 0 10px; font-size: .9rem; }
        .event { margin: 16px 0 16px 16px; padding-left: 12px; border-left: 2px solid var(--line); color: var(--soft); }
        .list { list-style: none; }
        .list.box { padding-block: 0; }
        .text + h1, ul + h1, p + h1 { margin-top: 32px; }
        .list li { padding: 10px 0; border-top: 1px solid var(--line); }
        .list li:first-child { border-top: 0; }
        label { font-weight: 600; }
        select, textarea, button { font: inherit; color: inherit; }
        select, textarea {
          background: var(--ground); border: 1px solid var(--soft); border-radius: 6px; padding: 6px 8px;
        }
        textarea { width: 100%; resize: vertical; margin-top: 4px; font: .95rem/1.5 ui-monospace, monospace; }
        button {
          background: var(--accent); color: white; border: 0; border-radius: 6px; padding: 8px 16px;
          font-weight: 600; min-height: 36px; cursor: pointer;
        }
        button:disabled { opacity: .6; cursor: default; }
        .hint { margin: 4px 0; font-size: .9rem; }
        #trouble { color: oklch(55% .19 25); }
        .diff { padding: 0; overflow: hidden; }
        .diff > header { padding: 8px 16px; background: var(--band); border-bottom: 1px solid var(--line); font-size: .9rem; }
        .diff pre { margin: 0; border-radius: 0; background: none; padding: 8px 0; }
        .diff pre span { display: block; padding: 0 16px; min-width: max-content; }
        .plus { background: var(--plus); } .minus { background: var(--minus); } .hunk { color: var(--soft); }
        .new { animation: new .2s ease-out; }
        @keyframes new { from { opacity: 0; } }
        @media (prefers-reduced-motion: reduce) { .new { animation: none; } }

        """
}
