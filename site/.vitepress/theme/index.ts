import { useData } from "vitepress";
import DefaultTheme from "vitepress/theme";
import { h } from "vue";
import "./style.css";

/** VitePress shows its footer only on pages without a sidebar: the same line ends every page of the guide. */
function GuideFooter() {
  const { theme } = useData();
  return h("footer", { class: "guide-footer", innerHTML: theme.value.footer.message });
}

export default {
  extends: DefaultTheme,
  Layout: () => h(DefaultTheme.Layout, null, { "doc-after": () => h(GuideFooter) }),
};
