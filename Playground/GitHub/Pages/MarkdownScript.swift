/// A small part of Markdown, put into the page as text and elements, never as HTML.
enum MarkdownScript {
    static let text = #"""
        // Turns Markdown into elements. Knows paragraphs, line breaks, headings, lists, quotes, fenced blocks,
        // details with a summary, bold, emphasis, code, links, mentions and references; everything else is text,
        // HTML comments are left out, as on GitHub.

        const inline = /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)|\*\*([\s\S]+?)\*\*|(?<![\w*_])[*_](?=\S)([^*_\n]+?)[*_](?![\w*_])|\[([^\]\n]+)\]\((\S+?)\)|(https?:\/\/[^\s<>()"]+[^\s<>()".,;:!?])|(?<![\w#\/])#(\d+)\b|(?<![\w@\/])(@[A-Za-z0-9][A-Za-z0-9-]*(?:\[bot\])?)/g;

        const make = (name, ...children) => {
          const element = document.createElement(name);
          element.append(...children);
          return element;
        };

        const safe = (address) => /^(https?:\/\/|\/|#)/.test(address) ? address : null;

        const link = (address, ...children) => {
          const target = safe(address);
          if (!target) return make("span", ...children);
          const element = make("a", ...children);
          element.href = target;
          element.rel = "noreferrer";
          return element;
        };

        /** The nodes of one run of text. */
        export function spans(text, base) {
          const nodes = [];
          let at = 0;
          for (const found of text.matchAll(inline)) {
            if (found.index > at) nodes.push(...lines(text.slice(at, found.index)));
            at = found.index + found[0].length;
            if (found[2] !== undefined) {
              const inner = found[2];
              const trimmed = /^ .*[^ ].* $/s.test(inner) ? inner.slice(1, -1) : inner;
              nodes.push(make("code", trimmed));
            } else if (found[3] !== undefined) nodes.push(make("strong", ...spans(found[3], base)));
            else if (found[4] !== undefined) nodes.push(make("em", ...spans(found[4], base)));
            else if (found[5] !== undefined) nodes.push(link(found[6], ...spans(found[5], base)));
            else if (found[7] !== undefined) nodes.push(link(found[7], found[7]));
            else if (found[8] !== undefined) nodes.push(link(`${base}/issues/${found[8]}`, found[0]));
            else nodes.push(make("strong", found[9]));
          }
          if (at < text.length) nodes.push(...lines(text.slice(at)));
          return nodes;
        }

        // A line's end is a break, as in GitHub's comments.
        const lines = (text) => unescaped(text).split("\n").flatMap((line, index) =>
          index === 0 ? [line] : [make("br"), line]);

        const unescaped = (text) => text.replace(/\\([\\`*_{}\[\]()#+\-.!|<>~@])/g, "$1")
          .replace(/&(amp|lt|gt|quot|#64|#35);/g, (_, name) =>
            ({ amp: "&", lt: "<", gt: ">", quot: "\"", "#64": "@", "#35": "#" })[name]);

        const item = /^ {0,3}(?:[-*+]|(\d{1,9})[.)])[ \t]+(.*)$/;

        /** The nodes of a whole text. */
        export function blocks(text, base) {
          const rows = text.replace(/<!--[\s\S]*?(-->|$)/g, "").replace(/\r/g, "").split("\n");
          return read(rows, base);
        }

        function read(rows, base) {
          const nodes = [];
          let paragraph = [];
          const close = () => {
            const words = paragraph.join("\n").trim();
            if (words) nodes.push(make("p", ...spans(words, base)));
            paragraph = [];
          };
          for (let at = 0; at < rows.length; at += 1) {
            const row = rows[at];
            const fence = /^ {0,3}(`{3,}|~{3,})[^`]*$/.exec(row);
            if (fence) {
              close();
              const end = new RegExp(`^ {0,3}${fence[1][0]}{${fence[1].length},}\\s*$`);
              const inside = [];
              for (at += 1; at < rows.length && !end.test(rows[at]); at += 1) inside.push(rows[at]);
              nodes.push(make("pre", make("code", inside.join("\n"))));
              continue;
            }
            if (/^\s*<details( open)?>/i.test(row)) {
              close();
              const inside = [];
              let depth = 1;
              let fenced = null;
              for (at += 1; at < rows.length; at += 1) {
                const mark = /^ {0,3}(`{3,}|~{3,})/.exec(rows[at]);
                if (mark && !fenced) fenced = mark[1];
                else if (mark && mark[1][0] === fenced[0] && mark[1].length >= fenced.length) fenced = null;
                if (!fenced && /^\s*<details/i.test(rows[at])) depth += 1;
                if (!fenced && /^\s*<\/details>/i.test(rows[at])) depth -= 1;
                if (depth === 0) break;
                inside.push(rows[at]);
              }
              nodes.push(details(row.replace(/^\s*<details[^>]*>/i, ""), inside, base));
              continue;
            }
            const heading = /^ {0,3}(#{1,6})[ \t]+(.*?)[ \t#]*$/.exec(row);
            if (heading) {
              close();
              nodes.push(make(heading[1].length < 3 ? "h3" : "h4", ...spans(heading[2], base)));
              continue;
            }
            if (/^ {0,3}>/.test(row)) {
              close();
              const inside = [];
              for (; at < rows.length && /^ {0,3}>/.test(rows[at]); at += 1) inside.push(rows[at].replace(/^ {0,3}> ?/, ""));
              at -= 1;
              nodes.push(make("blockquote", ...read(inside, base)));
              continue;
            }
            const first = item.exec(row);
            if (first) {
              close();
              const list = make(first[1] === undefined ? "ul" : "ol");
              let words = null;
              for (; at < rows.length && rows[at].trim(); at += 1) {
                const next = item.exec(rows[at]);
                if (next && (next[1] === undefined) !== (first[1] === undefined)) break;
                if (next) {
                  if (words) list.append(make("li", ...spans(words.join("\n"), base)));
                  words = [next[2]];
                } else words.push(rows[at].trim());
              }
              at -= 1;
              list.append(make("li", ...spans(words.join("\n"), base)));
              nodes.push(list);
              continue;
            }
            if (!row.trim()) close();
            else paragraph.push(row);
          }
          close();
          return nodes;
        }

        function details(rest, inside, base) {
          const text = [rest, ...inside].join("\n");
          const summary = /^\s*<summary>([\s\S]*?)<\/summary>/i.exec(text);
          const words = summary ? summary[1].trim() : "Details";
          const body = summary ? text.slice(summary[0].length) : text;
          return make("details", make("summary", ...spans(words, base)), ...read(body.split("\n"), base));
        }

        """#
}
