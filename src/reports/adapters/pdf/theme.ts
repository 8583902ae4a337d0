/** A4 in points (1/72 inch), with margins that leave room for a binding. */
export const PAGE = {
  size: 'A4',
  width: 595.28,
  height: 841.89,
  left: 56,
  right: 56,
  top: 64,
  bottom: 64,
} as const;
export const CONTENT_WIDTH = PAGE.width - PAGE.left - PAGE.right;
export const CONTENT_BOTTOM = PAGE.height - PAGE.bottom;

/** One accent; everything else is ink on paper. */
export const COLORS = {
  accent: '#0b4f6c',
  accentPale: '#e8f0f3',
  ink: '#1b1f23',
  muted: '#5b646c',
  rule: '#cfd6da',
  paper: '#ffffff',
  shade: '#f5f7f8',
} as const;

export type FontName = 'regular' | 'strong' | 'mono';

export interface TextStyle {
  readonly font: FontName;
  readonly size: number;
  readonly color: string;
  /** Distance of two baselines, in points. */
  readonly leading: number;
}

const style = (font: FontName, size: number, color: string, leading: number): TextStyle => ({
  font,
  size,
  color,
  leading,
});

export const STYLES = {
  title: style('strong', 21, COLORS.ink, 27),
  lead: style('regular', 11.5, COLORS.ink, 17),
  heading: style('strong', 14, COLORS.accent, 19),
  subheading: style('strong', 10.5, COLORS.ink, 15),
  body: style('regular', 9.5, COLORS.ink, 14),
  strong: style('strong', 9.5, COLORS.ink, 14),
  small: style('regular', 8.2, COLORS.muted, 11.5),
  cell: style('regular', 8.6, COLORS.ink, 12.2),
  cellStrong: style('strong', 8.6, COLORS.ink, 12.2),
  label: style('regular', 8.6, COLORS.muted, 12.2),
  tableHead: style('strong', 8, COLORS.accent, 11.5),
  mono: style('mono', 7.6, COLORS.ink, 11),
  /** 64 hexadecimal digits fit beside the picture of a step. */
  hash: style('mono', 6.5, COLORS.ink, 10),
  monoSmall: style('mono', 6.8, COLORS.muted, 10),
  chip: style('strong', 7.6, COLORS.accent, 11),
} as const satisfies Record<string, TextStyle>;
