/** The bundle `panel.js`: what the bell's panel and the inbox page show. The other bundles ask for it. */

import { ListView } from "../elements/list-view.js";
import { PanelView } from "../elements/panel-view.js";

export { ListView, PanelView };
