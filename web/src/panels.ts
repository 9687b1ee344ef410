// SPDX-License-Identifier: MIT
// What is loaded when someone opens a panel of the step, or calibrates.
import { dress } from './dressing';
import sheet from './style/panels.css?url';

export { openCalibration } from './calibrating';
export { roofline } from './roofline';
export { timeline } from './timeline';
export const dressed = (): Promise<unknown> => dress(sheet);
