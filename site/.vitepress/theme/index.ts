import { useData } from "vitepress";
import DefaultTheme from "vitepress/theme";
import { h } from "vue";
import "./style.css";

/** The footer for pages of the guide, because VitePress shows its own footer only on pages without a sidebar. */
function GuideFooter() {
  const { theme } = useData();
  return h("footer", { class: "guide-footer", innerHTML: theme.value.footer.message });
}

export default {
  extends: DefaultTheme,
  Layout: () => h(DefaultTheme.Layout, null, { "doc-after": () => h(GuideFooter) }),
};
