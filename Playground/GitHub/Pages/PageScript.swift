/// What the pages do.
enum PageScript {
    static let text = #"""
        import { blocks, spans } from "./markdown.js";

        const { page, owner, repo, number, repository } = document.body.dataset;
        const main = document.getElementById("main");
        const base = owner ? `/${owner}/${repo}` : "";

        const make = (name, fields = {}, ...children) => {
          const element = document.createElement(name);
          for (const [key, value] of Object.entries(fields)) {
            if (key in element && key !== "list") element[key] = value;
            else element.setAttribute(key, value);
          }
          element.append(...children);
          return element;
        };

        const get = async (address) => {
          const answer = await fetch(address, { headers: { Accept: "application/json" } });
          if (!answer.ok) throw new Error((await answer.json()).message ?? answer.statusText);
          return answer.json();
        };

        const when = (text) => {
          const moment = new Date(text);
          const seconds = Math.round((Date.now() - moment) / 1000);
          const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
          const [unit, size] = units.find(([, size]) => seconds >= size) ?? ["second", 1];
          const words = seconds < 5 ? "just now"
            : new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(-Math.floor(seconds / size), unit);
          return make("time", { dateTime: text, title: moment.toISOString() }, words);
        };

        const badge = (issue) => {
          const isPull = Boolean(issue.pull_request);
          const word = issue.deleted ? "Deleted" : issue.state === "closed" ? "Closed" : issue.draft ? "Draft" : "Open";
          const sign = issue.state === "closed" ? "✓" : isPull ? "⎇" : "○";
          return make("span", { className: `state ${issue.state}` }, make("span", { ariaHidden: "true" }, sign), word);
        };

        const reactions = (list) => {
          const counts = new Map();
          for (const { content, by } of list) counts.set(content, [...(counts.get(content) ?? []), by]);
          const marks = [...counts].map(([content, people]) => make("li",
            { title: `${content}: ${people.join(", ")}` },
            `${content} `, make("strong", {}, String(people.length))));
          return marks.length ? [make("ul", { className: "signs", ariaLabel: "Reactions" }, ...marks)] : [];
        };

        const comment = (item, id) => {
          const edited = item.updated_at !== item.created_at && id !== "text";
          const head = [
            make("img", { src: item.user.avatar_url, alt: "", width: 24, height: 24 }),
            make("strong", {}, item.user.login),
          ];
          if (item.user.type === "Bot") head.push(make("span", { className: "badge" }, "bot"));
          if (item.performed_via_github_app && item.user.type !== "Bot") {
            head.push(make("span", { className: "badge" }, `via ${item.performed_via_github_app.slug}`));
          }
          head.push(make("a", { href: `#${id}` }, when(item.created_at)));
          if (edited) head.push(make("span", { className: "soft", title: item.updated_at }, "edited"));
          const text = item.body ? blocks(item.body, base) : [make("p", { className: "soft" }, "No description.")];
          return make("article", { className: "comment", id },
            make("header", {}, ...head), make("div", { className: "text" }, ...text), ...reactions(item.reaction_list));
        };

        const event = (pull) => make("p", { className: "event", id: `pull-${pull.number}` },
          make("strong", {}, pull.author), " linked a pull request that closes this: ",
          make("a", { href: `${base}/pull/${pull.number}` }, `${pull.title} #${pull.number}`), ` (${pull.state}) `,
          when(pull.created_at));

        // Keeps what is on the page in step with the list, so that nothing that did not change moves or folds.
        const shown = new Map();
        const settle = (parent, wanted) => {
          let before = parent.firstElementChild;
          for (const { id, print, build } of wanted) {
            let known = shown.get(id);
            if (!known || known.print !== print) {
              const element = build();
              if (known) {
                if (before === known.element) before = element;
                known.element.replaceWith(element);
              } else if (started) element.classList.add("new");
              known = { print, element };
              shown.set(id, known);
            }
            if (before === known.element) before = before.nextElementSibling;
            else parent.insertBefore(known.element, before);
          }
          const ids = new Set(wanted.map((entry) => entry.id));
          for (const [id, known] of shown) {
            if (ids.has(id)) continue;
            known.element.remove();
            shown.delete(id);
          }
        };
        let started = false;

        const timeline = (issue) => {
          const head = {
            id: "head", print: JSON.stringify([issue.title, issue.state, issue.locked, issue.deleted]),
            build: () => make("div", {}, make("p", { className: "soft" }, make("a", { href: `/${issue.repository}` }, issue.repository)),
              make("h1", {}, ...spans(issue.title, base), " ", make("span", { className: "number" }, `#${issue.number}`)),
              make("p", { className: "row" }, badge(issue), ...(issue.locked ? [make("span", { className: "badge" }, "locked")] : []),
                make("span", { className: "soft" }, make("strong", {}, issue.user.login), " opened this ", when(issue.created_at)))),
          };
          const items = [
            ...issue.comment_list.map((item) => ({
              at: item.created_at, id: `issuecomment-${item.id}`,
              print: JSON.stringify([item.body, item.updated_at, item.reaction_list]),
              build: () => comment(item, `issuecomment-${item.id}`),
            })),
            ...issue.linked.map((pull) => ({
              at: pull.created_at, id: `pull-${pull.number}`, print: JSON.stringify(pull), build: () => event(pull),
            })),
          ].sort((left, right) => left.at < right.at ? -1 : left.at > right.at ? 1 : 0);
          const text = {
            id: "text", print: JSON.stringify([issue.body, issue.reaction_list]), build: () => comment(issue, "text"),
          };
          return [head, text, ...items];
        };

        const diff = (file) => {
          const lines = (file.patch ?? "No lines to show.").split("\n").map((line) => make("span", {
            className: line.startsWith("@@") ? "hunk" : line.startsWith("+") ? "plus" : line.startsWith("-") ? "minus" : "",
          }, line || " "));
          return make("section", { className: "box diff" },
            make("header", {}, make("strong", {}, file.filename), ` ${file.status}, +${file.additions} −${file.deletions}`),
            make("pre", { tabIndex: 0, ariaLabel: `Changes of ${file.filename}` }, ...lines));
        };

        const commits = (issue) => make("div", {},
          make("p", { className: "box" }, make("code", {}, issue.pull.head.ref), " into ", make("code", {}, issue.pull.base.ref),
            `, ${issue.pull.commits} ${issue.pull.commits === 1 ? "commit" : "commits"}, ${issue.pull.changed_files} `
            + `${issue.pull.changed_files === 1 ? "file" : "files"}, +${issue.pull.additions} −${issue.pull.deletions}`,
            ...(issue.pull.requested_reviewers.length
              ? [`; review asked from ${issue.pull.requested_reviewers.map((person) => person.login).join(", ")}`] : [])),
          make("h2", {}, "Commits"),
          make("ul", { className: "list box" }, ...issue.commits.map((commit) => make("li", {},
            make("code", {}, commit.sha.slice(0, 7)), " ", commit.message.split("\n")[0], " ",
            make("span", { className: "soft" }, `by ${commit.author}`)))),
          make("h2", {}, "Files"), ...issue.files.map(diff));

        const pullTimeline = (issue) => [...timeline(issue), {
          id: "files", print: JSON.stringify([issue.commits, issue.files, issue.pull.requested_reviewers]),
          build: () => commits(issue),
        }];

        const home = async () => {
          const state = await get("/_playground/state");
          const print = JSON.stringify([state.repositories, state.issues]);
          if (home.print === print) return;
          home.print = print;
          const places = state.repositories.filter((place) => !repository || place.full_name === repository);
          main.replaceChildren(...places.flatMap((place) => {
            const issues = state.issues.filter((issue) => issue.repository === place.full_name && !issue.deleted)
              .sort((left, right) => right.number - left.number);
            const rows = issues.map((issue) => make("li", {},
              make("span", { className: "row" }, badge(issue),
                make("a", { href: `/${place.full_name}/${issue.pull_request ? "pull" : "issues"}/${issue.number}` }, issue.title),
                make("span", { className: "soft" }, `#${issue.number} by ${issue.user.login}, ${issue.comments} comments`))));
            return [
              make("h1", {}, make("a", { href: `/${place.full_name}` }, place.full_name)),
              make("p", { className: "soft" }, `${place.private ? "Private" : "Public"}${place.archived ? ", archived" : ""}, `
                + `branches: ${Object.keys(place.branches).join(", ") || "none"}`),
              rows.length ? make("ul", { className: "list box" }, ...rows)
                : make("p", { className: "box" }, "No issue yet. POST /_playground/issues makes one."),
            ];
          }));
        };

        const talk = async (view, build) => {
          const issue = await get(`/_playground/${view}?owner=${owner}&repo=${repo}&number=${number}`);
          document.getElementById("notice")?.remove();
          settle(main, build(issue));
          if (!started && location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
          started = true;
        };

        const show = {
          home, issues: () => talk("issue", timeline), pull: () => talk("pull", pullTimeline),
          missing: async () => main.replaceChildren(make("h1", {}, "Not found"),
            make("p", {}, "There is nothing at this address. ", make("a", { href: "/" }, "All repositories"))),
        }[page];

        const trouble = (error) => {
          const text = `The playground did not answer (${error.message}). Trying again every second.`;
          const known = document.getElementById("notice");
          if (known) known.textContent = text;
          else main.prepend(make("p", { id: "notice", role: "status", className: "box" }, text));
        };

        const tick = async () => {
          try {
            await show();
            document.getElementById("notice")?.remove();
          } catch (error) {
            trouble(error);
          }
          if (page !== "missing") setTimeout(tick, 1000);
        };
        tick();

        const form = document.getElementById("comment");
        form?.addEventListener("submit", async (submit) => {
          submit.preventDefault();
          const [field, button, alert] = [form.elements.body, form.querySelector("button"), document.getElementById("trouble")];
          button.disabled = true;
          alert.textContent = "";
          try {
            const answer = await fetch("/_playground/comments", {
              method: "POST", headers: { "Content-Type": "application/json" },
              body: JSON.stringify({
                repository: `${owner}/${repo}`, issue: Number(number), author: form.elements.author.value, body: field.value,
              }),
            });
            if (!answer.ok) throw new Error((await answer.json()).message);
            field.value = "";
            await show();
          } catch (error) {
            alert.textContent = `The comment was not made: ${error.message}`;
          }
          button.disabled = false;
          field.focus();
        });
        form?.elements.body.addEventListener("keydown", (key) => {
          if (key.key === "Enter" && (key.ctrlKey || key.metaKey)) form.requestSubmit();
        });

        """#
}
