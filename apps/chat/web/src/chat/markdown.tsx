import { lexer, type Token, type Tokens } from "marked";
import { Fragment, type ReactNode, useMemo, useRef } from "react";
import remend from "remend";
import { CopyButton } from "../design/copy-button.tsx";
import { ScrollRegion } from "../design/scroll-region.tsx";
import { withoutEntities } from "./entities.ts";

/**
 * Renders an answer's Markdown as React elements, never as HTML, so a model's text cannot run anything. While it
 * streams, unclosed syntax is rendered as if it were closed.
 */
export default function Markdown({ text, streaming }: { text: string; streaming: boolean }) {
  const tokens = useMemo(() => lexer(streaming ? remend(text, { katex: false }) : text), [text, streaming]);
  return <div className="answer">{blocks(tokens)}</div>;
}

function blocks(tokens: readonly Token[] = []): ReactNode {
  return [...tokens.entries()].map(([index, token]) => <Fragment key={index}>{block(token)}</Fragment>);
}

/** Renders a block of GitHub's Markdown. Raw HTML is shown as text. */
function block(token: Token): ReactNode {
  switch (token.type) {
    case "paragraph":
      return <p dir="auto">{inlines(token.tokens)}</p>;
    case "text":
      return token.tokens ? inlines(token.tokens) : withoutEntities(token.text);
    case "heading": {
      // The page has the first-level heading, so an answer's headings begin at level 2.
      const Heading = `h${Math.max(2, token.depth)}` as "h2";
      return <Heading dir="auto">{inlines(token.tokens)}</Heading>;
    }
    case "list":
      return list(token as Tokens.List);
    case "table":
      return table(token as Tokens.Table);
    case "code":
      return <CodeBlock language={/^[\w+#.-]+/.exec(token.lang ?? "")?.[0] ?? ""}>{token.text}</CodeBlock>;
    case "blockquote":
      return <blockquote dir="auto">{blocks(token.tokens)}</blockquote>;
    case "hr":
      return <hr />;
    case "space":
    case "def":
      return null;
    default:
      return (
        <p dir="auto" className="whitespace-pre-wrap">
          {token.raw.trim()}
        </p>
      );
  }
}

function list({ ordered, start, items }: Tokens.List): ReactNode {
  const children = items.map((item, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: an answer only grows
    <li key={index} dir="auto">
      {item.task && (item.checked ? "☑ " : "☐ ")}
      {blocks(item.tokens.filter(({ type }) => type !== "checkbox"))}
    </li>
  ));
  return ordered ? <ol start={start === "" ? 1 : start}>{children}</ol> : <ul>{children}</ul>;
}

function table({ header, rows }: Tokens.Table): ReactNode {
  const cells = (row: Tokens.TableCell[], Cell: "th" | "td") =>
    row.map(({ align, tokens }, index) => (
      <Cell
        // biome-ignore lint/suspicious/noArrayIndexKey: columns keep their places
        key={index}
        dir="auto"
        className={align === "right" ? "number" : undefined}
        {...(Cell === "th" ? { scope: "col" } : {})}
      >
        {inlines(tokens)}
      </Cell>
    ));
  return (
    <div className="framed">
      <ScrollRegion label="Table, scrolls sideways" className="scroll">
        <table className="figures text-sm">
          <thead>
            <tr>{cells(header, "th")}</tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: an answer only grows
              <tr key={index}>{cells(row, "td")}</tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </div>
  );
}

function inlines(tokens: readonly Token[] = []): ReactNode {
  return [...tokens.entries()].map(([index, token]) => <Fragment key={index}>{inline(token)}</Fragment>);
}

function inline(token: Token): ReactNode {
  switch (token.type) {
    case "text":
      return token.tokens ? inlines(token.tokens) : withoutEntities(token.text);
    case "escape":
      return token.text;
    case "strong":
      return <strong>{inlines(token.tokens)}</strong>;
    case "em":
      return <em>{inlines(token.tokens)}</em>;
    case "del":
      return <del>{inlines(token.tokens)}</del>;
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "link":
      return <SafeLink href={token.href}>{inlines(token.tokens)}</SafeLink>;
    case "image":
      return <PictureLink href={token.href} alt={token.text} />;
    default:
      return token.raw;
  }
}

const copyClass =
  "inline-flex min-h-8 items-center gap-1.5 rounded-md px-2 text-quiet text-xs transition-colors hover:bg-tint hover:text-ink [&_svg]:size-3.5";

function CodeBlock({ children, language }: { children: string; language: string }) {
  const code = useRef<HTMLElement>(null);
  return (
    <div className="framed" dir="ltr">
      <div className="flex items-center justify-between border-line border-b bg-sunken py-1 ps-4 pe-1.5">
        <span className="font-mono text-quiet text-xs">{language || "text"}</span>
        <CopyButton
          worded
          label="Copy code"
          className={copyClass}
          text={() => code.current?.textContent ?? ""}
        />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <pre className="scroll overflow-x-auto p-4 text-[0.8125rem] leading-relaxed" tabIndex={0}>
        <code ref={code}>{children}</code>
      </pre>
    </div>
  );
}

function SafeLink({ href, children }: { href: string; children: ReactNode }) {
  if (!/^(https?:|mailto:)/i.test(href)) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

/** Links to a picture instead of loading it, because a picture's address could leak the conversation. */
function PictureLink({ href, alt }: { href: string; alt: string }) {
  return <SafeLink href={href}>{alt ? `Picture: ${alt}` : "Picture"}</SafeLink>;
}
