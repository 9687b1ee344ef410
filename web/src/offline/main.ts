// SPDX-License-Identifier: MIT
// The calculator as one script and one style sheet, for offline.html.
import '../style.css';
import '../style/compare.css';
import '../style/panels.css';
import '../style/plans.css';
import '../style/sharing.css';
import './offline.css';
import '../main';
