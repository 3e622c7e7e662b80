// <tintype-inbox src="https://api.shop.example" token="tti_..." lang="zh"></tintype-inbox>
//
// A bell with the number of unread messages, and the customer's inbox behind it. docs/channels/inbox.md tells how to use
// it. Texts are set as text and never parsed: what a message says cannot become a part of the page.
(() => {
  "use strict";

  const WORDS = {
    zh: {
      title: "消息", unread: (n) => (n ? `消息，${n} 条未读` : "消息，没有未读"), close: "关闭", dismiss: "移除",
      dismissed: "已移除", empty: "还没有消息", more: "更早的消息", fresh: "未读", open: "查看",
      arrived: (n) => `${n} 条新消息`, away: "现在无法读取消息，稍后会自动重试", over: "登录已过期，请刷新页面",
    },
    en: {
      title: "Messages", unread: (n) => (n ? `Messages, ${n} unread` : "Messages, none unread"), close: "Close",
      dismiss: "Remove", dismissed: "Removed", empty: "No messages yet", more: "Earlier messages", fresh: "Unread",
      open: "Open", arrived: (n) => (n === 1 ? "1 new message" : `${n} new messages`),
      away: "Messages cannot be read just now; trying again", over: "Your session is over: reload the page",
    },
  };
  const FIRST_WAIT = 1000, LONGEST_WAIT = 30000; // ms, between tries
  const SILENT = 45000; // ms: three keep-alive comments that did not come
  const STYLE = `
    :host { --paper: #fffdf9; --ink: #231f1a; --quiet: #655e53; --line: #857c6f; --mark: #a3380f; --on-mark: #fff;
      --fresh: #f6eee2; display: inline-block; position: relative; color-scheme: light;
      font: 15px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
    @media (prefers-color-scheme: dark) { :host(:not([theme="light"])) { --paper: #1e1b18; --ink: #efe9df; --quiet: #b3a99b;
      --line: #8d8375; --mark: #f4a472; --on-mark: #1e1b18; --fresh: #2d2722; color-scheme: dark; } }
    :host([theme="dark"]) { --paper: #1e1b18; --ink: #efe9df; --quiet: #b3a99b; --line: #8d8375; --mark: #f4a472;
      --on-mark: #1e1b18; --fresh: #2d2722; color-scheme: dark; }
    :host([hidden]), [hidden] { display: none !important; }
    * { box-sizing: border-box; }
    button { font: inherit; color: inherit; cursor: pointer; background: none; border: 1px solid transparent; border-radius: 6px;
      min-width: 32px; min-height: 32px; }
    button:hover { border-color: var(--line); }
    :focus-visible:not(.panel) { outline: 2px solid var(--mark); outline-offset: 2px; }
    .panel { outline: none; overflow: hidden; } /* nothing shows beyond its round corners */
    .bell { position: relative; width: 44px; height: 44px; padding: 10px; background: var(--paper); color: var(--ink); }
    .bell svg { display: block; width: 22px; height: 22px; }
    .count { position: absolute; top: 1px; right: 1px; min-width: 20px; padding: 0 5px; border-radius: 10px;
      background: var(--mark); color: var(--on-mark); font-size: 12px; line-height: 20px; font-weight: 600;
      font-variant-numeric: tabular-nums; }
    .panel { position: absolute; z-index: 2147483000; top: calc(100% + 6px); right: 0; width: 360px; max-width: calc(100vw - 16px);
      max-height: min(560px, 80vh); display: flex; flex-direction: column; background: var(--paper); color: var(--ink);
      border: 1px solid var(--line); border-radius: 10px; box-shadow: 0 8px 28px rgb(0 0 0 / 22%); text-align: start; }
    :host([align="start"]) .panel { right: auto; left: 0; }
    .head { display: flex; align-items: center; justify-content: space-between; padding: 10px 10px 10px 16px;
      border-bottom: 1px solid var(--line); }
    h2 { margin: 0; font-size: 16px; line-height: 1.4; }
    .body { overflow-y: auto; overscroll-behavior: contain; }
    ul { margin: 0; padding: 0; list-style: none; }
    li { position: relative; padding: 12px 52px 12px 16px; border-bottom: 1px solid color-mix(in srgb, var(--line) 40%, transparent); }
    li.fresh { background: var(--fresh); box-shadow: inset 4px 0 0 var(--mark); }
    h3 { margin: 0 0 2px; font-size: 15px; line-height: 1.4; overflow-wrap: anywhere; }
    p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
    .foot { display: flex; gap: 14px; align-items: baseline; margin-top: 4px; font-size: 13px; color: var(--quiet); }
    a { color: var(--mark); padding: 4px 0; }
    .gone { position: absolute; top: 10px; right: 12px; color: var(--quiet); }
    .note { padding: 20px 16px; color: var(--quiet); }
    .more { display: block; margin: 8px auto; padding: 4px 16px; border-color: var(--line); }
    .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    @media (max-width: 480px) { .panel, :host([align="start"]) .panel { position: fixed; inset: auto 0 0 0; width: auto;
      max-width: none; max-height: 85vh; border-radius: 14px 14px 0 0; } }
    @media (forced-colors: active) { .count, li.fresh { border: 1px solid; } }`;
  const BELL = "M12 3a6 6 0 0 0-6 6v3.6L4.3 16a1 1 0 0 0 .9 1.5h13.6a1 1 0 0 0 .9-1.5L18 12.6V9a6 6 0 0 0-6-6M9.7 20a2.5 2.5 0 0 0 4.6 0";

  /** Return an element with attributes, a text, and children. */
  const make = (name, attributes = {}, text = "", ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    made.append(...children);
    return made;
  };

  /** Return an address that leads to a page, or null: none that runs a script. */
  const address = (link) => {
    if (!link) return null;
    try {
      const found = new URL(link, document.baseURI);
      return ["http:", "https:"].includes(found.protocol) ? found.href : null;
    } catch {
      return null;
    }
  };

  const bell = () => {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    const path = document.createElementNS(space, "path");
    for (const [key, value] of [["viewBox", "0 0 24 24"], ["aria-hidden", "true"], ["fill", "none"], ["stroke", "currentColor"],
      ["stroke-width", "1.8"], ["stroke-linejoin", "round"], ["stroke-linecap", "round"]]) svg.setAttribute(key, value);
    path.setAttribute("d", BELL);
    svg.append(path);
    return svg;
  };

  class TintypeInbox extends HTMLElement {
    static observedAttributes = ["src", "token", "lang"];

    #messages = new Map(); // by id
    #fresh = new Set(); // ids that were unread when the list was opened: marked until it is closed
    #unread = 0;
    #next = null; // cursor of earlier messages
    #last = null; // id of the last event
    #running = null; // AbortController of the present src and token
    #parts = null;
    #outside = (event) => { if (!event.composedPath().includes(this)) this.#close(false); };

    // A browser has six connections to a host over HTTP/1.1, for all tabs and for pages that it keeps to go back to:
    // who is not looked at lets its stream go, and goes on where it was.
    #turn = (event) => {
      if (document.hidden || event.type === "pagehide") this.#running?.abort();
      else if (this.#running?.signal.aborted) this.#go();
    };

    connectedCallback() {
      if (!this.#parts) this.#build();
      this.#say();
      this.#start();
      document.addEventListener("visibilitychange", this.#turn);
      addEventListener("pagehide", this.#turn);
      addEventListener("pageshow", this.#turn);
    }

    disconnectedCallback() {
      document.removeEventListener("visibilitychange", this.#turn);
      removeEventListener("pagehide", this.#turn);
      removeEventListener("pageshow", this.#turn);
      this.#running?.abort();
      this.#close(false);
    }

    attributeChangedCallback(name, before, after) {
      if (!this.isConnected || !this.#parts || before === after) return;
      if (name === "lang") this.#say();
      else this.#start();
    }

    get #words() {
      const said = this.getAttribute("lang") || document.documentElement.lang || navigator.language || "en";
      return said.toLowerCase().startsWith("zh") ? WORDS.zh : WORDS.en;
    }

    #build() {
      const root = this.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet(); // allowed also where the page's policy forbids inline styles
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      const button = make("button", { type: "button", class: "bell", part: "bell", "aria-expanded": "false", "aria-haspopup": "dialog" });
      const count = make("span", { class: "count", part: "count", "aria-hidden": "true", hidden: "" });
      button.append(bell(), count);
      const title = make("h2", { id: "title" });
      const close = make("button", { type: "button", class: "close" }, "", make("span", { "aria-hidden": "true" }, "✕"));
      const list = make("ul");
      const note = make("p", { class: "note" });
      const more = make("button", { type: "button", class: "more", hidden: "" });
      const panel = make("div", { class: "panel", part: "panel", role: "dialog", "aria-labelledby": "title", tabindex: "-1", hidden: "" }, "",
        make("div", { class: "head" }, "", title, close), make("div", { class: "body" }, "", list, note, more));
      const live = make("div", { class: "hidden", role: "status", "aria-live": "polite" });
      root.append(button, panel, live);
      button.addEventListener("click", () => (panel.hidden ? this.#open() : this.#close(true)));
      close.addEventListener("click", () => this.#close(true));
      more.addEventListener("click", () => this.#earlier());
      root.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && !panel.hidden) { event.stopPropagation(); this.#close(true); }
      });
      this.#parts = { button, count, panel, title, close, list, note, more, live };
    }

    #start() {
      this.#running?.abort();
      this.#messages.clear();
      this.#fresh.clear();
      [this.#unread, this.#next, this.#last] = [0, null, null];
      this.#draw();
      this.#running = null;
      this.#go();
    }

    #go() {
      if (!this.getAttribute("src") || !this.getAttribute("token")) return;
      this.#running = new AbortController();
      this.#run(this.#running.signal);
    }

    /** Read the inbox, then follow its changes, again and again until aborted. */
    async #run(signal) {
      let wait = FIRST_WAIT;
      while (!signal.aborted) {
        try {
          if (this.#last === null) await this.#list(signal);
          this.#note("");
          await this.#follow(signal, () => { wait = FIRST_WAIT; });
        } catch (error) {
          if (signal.aborted) return;
          if (error.status === 401 || error.status === 403) return this.#over(error.code);
          if (!error.isReset) this.#note("away");
        }
        await new Promise((done) => {
          signal.addEventListener("abort", done, { once: true });
          setTimeout(done, wait * (0.7 + 0.6 * Math.random())); // not all pages at once
        });
        wait = Math.min(wait * 2, LONGEST_WAIT);
      }
    }

    async #ask(path, signal, more = {}) {
      const at = `${this.getAttribute("src").replace(/\/+$/, "")}/v1/profiles/me/messages${path}`;
      const headers = { Authorization: `Bearer ${this.getAttribute("token")}`, ...more.headers };
      const answer = await fetch(at, { ...more, headers, signal, credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" });
      if (answer.ok) return answer;
      const said = await answer.json().catch(() => ({}));
      throw Object.assign(new Error(said.detail || answer.statusText), { status: answer.status, code: said.code });
    }

    async #list(signal) {
      const found = await (await this.#ask("?limit=20", signal)).json();
      if (signal.aborted) return;
      this.#messages = new Map(found.messages.map((one) => [one.id, one]));
      [this.#unread, this.#next, this.#last] = [found.unread, found.next, found.change];
      this.#shown();
    }

    async #earlier() {
      const signal = this.#running.signal, before = this.#messages.size;
      try {
        const found = await (await this.#ask(`?limit=20&cursor=${encodeURIComponent(this.#next)}`, signal)).json();
        for (const one of found.messages) this.#messages.set(one.id, one);
        this.#next = found.next;
        this.#shown();
        this.#parts.list.children[before]?.querySelector("button")?.focus();
      } catch {
        if (!signal.aborted) this.#note("away");
      }
    }

    async #follow(signal, heard) {
      const own = new AbortController();
      const end = () => own.abort();
      signal.addEventListener("abort", end, { once: true });
      let silence = setTimeout(end, SILENT);
      try {
        const answer = await this.#ask("/stream", own.signal, { headers: { "Last-Event-ID": this.#last } });
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        let rest = "";
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return;
          heard();
          clearTimeout(silence);
          silence = setTimeout(end, SILENT);
          const pieces = (rest + value).split("\n\n");
          rest = pieces.pop();
          for (const one of pieces) this.#take(one);
        }
      } finally {
        clearTimeout(silence);
        signal.removeEventListener("abort", end);
        own.abort();
      }
    }

    /** Take one event: its lines are `name: value`; others are comments. */
    #take(text) {
      const fields = Object.fromEntries(text.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
      if (!fields.data) return;
      if (fields.event === "reset") {
        this.#last = null;
        throw Object.assign(new Error("the inbox begins anew"), { isReset: true });
      }
      const { messages, unread } = JSON.parse(fields.data);
      const oldest = Math.min(...[...this.#messages.values()].map((one) => Date.parse(one.created)));
      let fresh = 0;
      for (const one of messages) {
        if (one.dismissed) this.#messages.delete(one.id);
        else if (this.#messages.has(one.id) || !this.#next || Date.parse(one.created) >= oldest) { // earlier ones come by page
          if (!this.#messages.has(one.id) && !one.read) fresh += 1;
          this.#messages.set(one.id, one);
        }
      }
      [this.#last, this.#unread] = [fields.id, unread];
      this.#shown();
      if (fresh) this.#parts.live.textContent = this.#words.arrived(fresh);
    }

    /** Draw; what an open list shows counts as read. */
    #shown() {
      if (!this.#parts.panel.hidden) this.#read();
      this.#draw();
      this.dispatchEvent(new CustomEvent("tintype-unread", { detail: this.#unread, bubbles: true, composed: true }));
    }

    #read() {
      const fresh = [...this.#messages.values()].filter((one) => !one.read);
      for (const one of fresh) this.#fresh.add(one.id);
      if (this.#unread && this.#running) this.#ask(":read", this.#running.signal, { method: "POST" }).catch(() => this.#note("away"));
    }

    async #dismiss(id) {
      const items = [...this.#parts.list.children], at = items.findIndex((one) => one.dataset.id === id);
      try {
        await this.#ask(`/${encodeURIComponent(id)}:dismiss`, this.#running.signal, { method: "POST" });
      } catch (error) {
        if (error.status !== 404) return this.#note("away"); // it is over: gone all the same
      }
      this.#messages.delete(id);
      this.#draw();
      const next = this.#parts.list.children[Math.min(at, this.#parts.list.children.length - 1)];
      (next ? next.querySelector(".gone") : this.#parts.close).focus();
      this.#parts.live.textContent = this.#words.dismissed;
    }

    #open() {
      this.#parts.panel.hidden = false;
      this.#parts.button.setAttribute("aria-expanded", "true");
      document.addEventListener("pointerdown", this.#outside, true);
      this.#read();
      this.#draw();
      this.#parts.panel.focus();
    }

    #close(back) {
      if (!this.#parts || this.#parts.panel.hidden) return;
      this.#parts.panel.hidden = true;
      this.#parts.button.setAttribute("aria-expanded", "false");
      document.removeEventListener("pointerdown", this.#outside, true);
      this.#fresh.clear();
      this.#draw();
      if (back) this.#parts.button.focus();
    }

    #over(code) {
      this.#note("over");
      this.dispatchEvent(new CustomEvent("tintype-token", { detail: code, bubbles: true, composed: true }));
    }

    #note(what) {
      this.#parts.note.dataset.what = what;
      this.#draw();
    }

    #say() {
      const words = this.#words;
      this.#parts.title.textContent = words.title;
      this.#parts.close.setAttribute("aria-label", words.close);
      this.#parts.more.textContent = words.more;
      this.#parts.panel.lang = words === WORDS.zh ? "zh" : "en";
      this.#draw();
    }

    #draw() {
      const { button, count, list, note, more } = this.#parts, words = this.#words;
      button.setAttribute("aria-label", words.unread(this.#unread));
      count.textContent = this.#unread > 99 ? "99+" : String(this.#unread);
      count.hidden = !this.#unread;
      const focused = this.shadowRoot.activeElement?.closest("li")?.dataset.id;
      const now = Date.now();
      const shown = [...this.#messages.values()].filter((one) => Date.parse(one.expires) > now);
      shown.sort((a, b) => Date.parse(b.created) - Date.parse(a.created) || (a.id < b.id ? 1 : -1));
      list.replaceChildren(...shown.map((one) => this.#item(one)));
      if (focused) list.querySelector(`[data-id="${CSS.escape(focused)}"] .gone`)?.focus();
      const what = note.dataset.what;
      note.textContent = what ? words[what] : words.empty;
      note.hidden = !what && shown.length > 0;
      more.hidden = !this.#next;
    }

    #item(one) {
      const words = this.#words, fresh = !one.read || this.#fresh.has(one.id), said = one.title || one.text || "";
      const item = make("li", { "data-id": one.id, class: fresh ? "fresh" : "" });
      if (fresh) item.append(make("span", { class: "hidden" }, words.fresh));
      if (one.title) item.append(make("h3", {}, one.title));
      if (one.text) item.append(make("p", {}, one.text));
      const format = new Intl.DateTimeFormat(words === WORDS.zh ? "zh-CN" : "en", { dateStyle: "medium", timeStyle: "short" });
      const foot = make("div", { class: "foot" }, "", make("time", { datetime: one.created }, format.format(new Date(one.created))));
      const leads = address(one.link);
      if (leads) foot.append(make("a", { href: leads, rel: "noopener", "aria-label": `${words.open}: ${said}` }, words.open));
      const gone = make("button", { type: "button", class: "gone", "aria-label": `${words.dismiss}: ${said}` }, "", make("span", { "aria-hidden": "true" }, "✕"));
      gone.addEventListener("click", () => this.#dismiss(one.id));
      item.append(foot, gone);
      return item;
    }
  }

  if (!customElements.get("tintype-inbox")) customElements.define("tintype-inbox", TintypeInbox);
})();
