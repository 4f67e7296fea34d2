import { render } from "preact";

const root = document.getElementById("console");
if (root !== null) render(<h1>Longshore</h1>, root);
