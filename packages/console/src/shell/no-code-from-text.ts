import { config } from "zod";

// The page's policy forbids code made of text, and zod tries whether it may as soon as a schema is made: this comes before all that make any.
config({ jitless: true });
