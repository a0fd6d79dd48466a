import { type ComponentProps, isValidElement, useRef } from "react";
import { defaultRehypePlugins, Streamdown, type StreamdownProps } from "streamdown";
import { CopyButton } from "../design/copy-button.tsx";
import { ScrollRegion } from "../design/scroll-region.tsx";

type Elements = NonNullable<StreamdownProps["components"]>;

// Raw HTML is not among them: it is shown as the text that it is.
const rehypePlugins = ["sanitize", "harden"].flatMap((name) => {
  const plugin = defaultRehypePlugins[name];
  return plugin === undefined ? [] : [plugin];
});

const copyClass =
  "inline-flex min-h-8 items-center gap-1.5 rounded-md px-2 text-quiet text-xs transition-colors hover:bg-tint hover:text-ink [&_svg]:size-3.5";

function CodeBlock({ children, className }: { children?: React.ReactNode; className?: string | undefined }) {
  const code = useRef<HTMLElement>(null);
  const language = /language-([\w+#.-]+)/.exec(className ?? "")?.[1] ?? "";
  return (
    <div className="framed">
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

/** A fenced block: Markdown makes it a `pre` with one `code` in it. */
function Preformatted({ children }: ComponentProps<"pre">) {
  const code = isValidElement<ComponentProps<"code">>(children) ? children.props : { children };
  return <CodeBlock className={code.className}>{code.children}</CodeBlock>;
}

function Table({ children }: { children?: React.ReactNode }) {
  return (
    <div className="framed">
      <ScrollRegion label="Table, scrolls sideways" className="scroll">
        <table className="figures text-sm">{children}</table>
      </ScrollRegion>
    </div>
  );
}

/** Column alignment of Markdown arrives as an inline style; a class says it instead. */
function cell(Tag: "th" | "td") {
  return function Cell({ style, children }: ComponentProps<"td">) {
    const numeric = style?.textAlign === "right";
    return (
      <Tag className={numeric ? "number" : undefined} {...(Tag === "th" ? { scope: "col" } : {})}>
        {children}
      </Tag>
    );
  };
}

function SafeLink({ href, children }: ComponentProps<"a">) {
  if (!href || !/^(https?:|mailto:)/i.test(href)) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

/** Never loaded from elsewhere by itself: the address of a picture can carry away what was said. */
function PictureLink({ src, alt }: ComponentProps<"img">) {
  const text = alt ? `Picture: ${alt}` : "Picture";
  return typeof src === "string" ? <SafeLink href={src}>{text}</SafeLink> : <span>{text}</span>;
}

const elements = {
  h1: "h2",
  h2: "h2",
  h3: "h3",
  h4: "h4",
  h5: "h5",
  h6: "h6",
  p: "p",
  ul: "ul",
  ol: "ol",
  li: "li",
  strong: "strong",
  blockquote: "blockquote",
  hr: "hr",
  sub: "sub",
  sup: "sup",
  thead: "thead",
  tbody: "tbody",
  tr: "tr",
  table: Table,
  th: cell("th"),
  td: cell("td"),
  a: SafeLink,
  img: PictureLink,
  pre: Preformatted,
  code: "code",
  inlineCode: ({ children }: ComponentProps<"code">) => <code>{children}</code>,
  // Streamdown's type has a signature for tags of one's own, which asks each of these to take any props.
} as unknown as Elements;

/** An answer's Markdown. While it streams, what is not yet closed is drawn as if it were. */
export default function Markdown({ text, streaming }: { text: string; streaming: boolean }) {
  return (
    <Streamdown
      className="answer"
      mode={streaming ? "streaming" : "static"}
      parseIncompleteMarkdown={streaming}
      rehypePlugins={rehypePlugins}
      components={elements}
      linkSafety={{ enabled: false }}
      controls={false}
    >
      {text}
    </Streamdown>
  );
}
