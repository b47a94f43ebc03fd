import { toast } from "../ui/toasts";

const withFiles = (data: DataTransfer | null) => data?.types.includes("Files") ?? false;

/**
 * Files can't be sent yet. Those that are dropped anywhere, or pasted without a text beside them, are refused with a notice:
 * browsers would go to a dropped file or link instead of the app, and pass over a pasted picture in silence.
 */
export function refuseFiles(): void {
  window.addEventListener("dragover", refuseDrag);
  window.addEventListener("drop", (event) => {
    refuseDrag(event);
    if (withFiles(event.dataTransfer)) toast("composer.no_files");
  });
  window.addEventListener("paste", ({ clipboardData }) => {
    if (withFiles(clipboardData) && !clipboardData?.getData("text")) toast("composer.no_files");
  });
}

// Text may still be dragged into fields.
function refuseDrag(event: DragEvent): void {
  const field = event.target instanceof Element && event.target.matches("input, textarea");
  if (withFiles(event.dataTransfer) || !field) event.preventDefault();
}
