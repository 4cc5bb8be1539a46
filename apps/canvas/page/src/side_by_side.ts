// The page of `parley canvas --algorithm all`: one cluster per strategy, the same pixels painted in each.

import './style.css';
import {SideBySide} from './clusters.js';

void new SideBySide().start();
