/** The bundle `push-worker.js`: the service worker. The server writes its configuration in front of it. */

import { workerScope } from "../core/push-api.js";
import { serve } from "../push/worker.js";

serve(workerScope(), workerScope().CARILLON);
