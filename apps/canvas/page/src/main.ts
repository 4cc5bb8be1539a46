// The page of a canvas node: shows the shared canvas, paints, and says how the cluster is doing.

import './style.css';
import {App} from './app.js';

new App().start();
