import type { Room } from "@parley-im/sdk";
import { useId } from "react";
import { useTranslation } from "../i18n";
import { changeBook } from "../store/rooms";
import { withPatch } from "../store/roombook";
import { currentSession } from "../store/session";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { checkRoomName } from "../ui/fields";
import { Form } from "../ui/Form";
import { Problem } from "../ui/Problem";
import { TextField } from "../ui/TextField";
import { useForm } from "../ui/useForm";

/** Another name for a group. */
export function RenameDialog({ room, onClose }: { room: Room; onClose: () => void }) {
  const { t } = useTranslation();
  const id = useId();
  const form = useForm({
    initial: { name: room.name },
    check: ({ name }) => ({ name: checkRoomName(t, name) }),
    send: async ({ name }) => {
      const renamed = await currentSession().renameRoom(room.id, name.trim());
      changeBook((book) => withPatch(book, room.id, { name: renamed.name }));
      onClose();
    },
  });
  return (
    <Dialog
      title={t("groups.rename")}
      isOpen
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>{t("ui.cancel")}</Button>
          <Button type="submit" form={id} kind="primary" isPending={form.pending}>
            {t("ui.save")}
          </Button>
        </>
      }
    >
      <Form form={form} id={id} label={t("groups.rename")}>
        <TextField label={t("groups.name")} autoComplete="off" autoFocus {...form.bind("name")} />
      </Form>
      <Problem {...form.problem} />
    </Dialog>
  );
}
