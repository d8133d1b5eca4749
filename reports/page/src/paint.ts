// Strokes that several views share: hatching for what is down, arrow heads, text that fits.

import { colour } from './theme';
import { font } from './timeline';

/** Slanted lines in a rectangle. */
export function hatch(
  ctx: CanvasRenderingContext2D,
  x: number,
  y: number,
  w: number,
  h: number,
): void {
  if (w <= 0) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, w, h);
  ctx.clip();
  ctx.fillStyle = colour('down');
  ctx.fillRect(x, y, w, h);
  ctx.strokeStyle = colour('hatch');
  ctx.lineWidth = 1;
  ctx.beginPath();
  // From a multiple of the step, so that the pattern stands still on the page while time is panned.
  for (let at = Math.floor((x - h) / 6) * 6; at < x + w; at += 6) {
    ctx.moveTo(at, y + h);
    ctx.lineTo(at + h, y);
  }
  ctx.stroke();
  ctx.restore();
}

/** Text, cut with an ellipsis; nothing when not even some letters fit. */
export function fit_text(
  ctx: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  room: number,
): void {
  if (room < 14) return;
  let cut = text;
  while (cut.length > 1 && ctx.measureText(cut).width > room)
    cut = `${cut.slice(0, -2).trimEnd()}…`;
  if (cut.length < Math.min(4, text.length)) return;
  ctx.fillText(cut, x, y);
}

export function arrow_head(
  ctx: CanvasRenderingContext2D,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  size = 5,
): void {
  const angle = Math.atan2(y1 - y0, x1 - x0);
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x1 - size * Math.cos(angle - 0.45), y1 - size * Math.sin(angle - 0.45));
  ctx.lineTo(x1 - size * Math.cos(angle + 0.45), y1 - size * Math.sin(angle + 0.45));
  ctx.closePath();
  ctx.fill();
}

export function row_name(
  ctx: CanvasRenderingContext2D,
  text: string,
  y: number,
  room: number,
): void {
  ctx.font = font(12.5, 600);
  ctx.fillStyle = colour('ink');
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  fit_text(ctx, text, 0, y, room);
}
