import { inert } from "./inert.ts";
import type { Style } from "./style.ts";
import { textWidth } from "./text-width.ts";

/** One column of a table over rows of type `Row`. */
export interface Column<Row> {
  readonly title: string;
  /** The cell as plain text; it may come from elsewhere and is made inert. */
  readonly cell: (row: Row) => string;
  /** Numbers stand at the right. */
  readonly align?: "right";
  /** Paints the padded cell. */
  readonly paint?: (row: Row, text: string) => string;
}

const gap = "  ";

/** Rows under their titles, columns aligned by what a terminal shows; empty cells are `-`. Lines, without a line end at the last. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], style: Style): string {
  const cells = rows.map((row) => columns.map((column) => inert(column.cell(row)).replaceAll("\t", " ") || "-"));
  const widths = columns.map((column, index) => Math.max(textWidth(column.title), ...cells.map((line) => textWidth(line[index] ?? ""))));
  const pad = (text: string, index: number): string => {
    const padding = " ".repeat(Math.max(0, (widths[index] ?? 0) - textWidth(text)));
    if (columns[index]?.align === "right") return padding + text;
    return index === columns.length - 1 ? text : text + padding;
  };
  const head = style.dim(columns.map((column, index) => pad(column.title, index)).join(gap).trimEnd());
  const body = rows.map((row, at) =>
    columns.map((column, index) => {
      const text = pad(cells[at]?.[index] ?? "", index);
      return column.paint === undefined ? text : column.paint(row, text);
    }).join(gap),
  );
  return [head, ...body].join("\n");
}
