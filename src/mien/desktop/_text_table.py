"""The texts: key → English, Vietnamese, Romanian. `&` stands before the letter that Alt reaches."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str, str]] = {
    # the live window
    "live": ("Live", "Trực tiếp", "În direct"),
    "speed": (
        "{rate:.0f} frames/s · {latency:.0f} ms from frame to label",
        "{rate:.0f} khung hình/giây · {latency:.0f} ms từ khung hình đến nhãn",
        "{rate:.0f} cadre/s · {latency:.0f} ms de la cadru la etichetă",
    ),
    "paused": ("paused", "tạm dừng", "pauză"),
    "waiting": ("Waiting for the first picture …", "Đang chờ hình đầu tiên …", "Se așteaptă prima imagine …"),
    "no_face": ("No face", "Không có khuôn mặt", "Nicio față"),
    "ended": ("The pictures have ended.", "Hình ảnh đã kết thúc.", "Imaginile s-au terminat."),
    "quit": ("&Quit", "&Thoát", "I&eși"),
    "save_face": ("&Save the face", "&Lưu khuôn mặt", "&Salvează fața"),
    "clear_faces": ("&Clear saved faces …", "&Xóa các khuôn mặt đã lưu …", "Ș&terge fețele salvate …"),
    "pause": ("&Pause", "Tạm &dừng", "&Pauză"),
    "ask_clear": (
        "Delete all saved faces in {folder}? This cannot be undone.",
        "Xóa tất cả khuôn mặt đã lưu trong {folder}? Không thể hoàn tác.",
        "Ștergi toate fețele salvate din {folder}? Nu se poate reveni.",
    ),
    "no_face_to_save": (
        "There is no face to save.",
        "Không có khuôn mặt nào để lưu.",
        "Nu este nicio față de salvat.",
    ),
    "clear_title": ("Clear saved faces", "Xóa các khuôn mặt đã lưu", "Șterge fețele salvate"),
    "delete": ("Delete", "Xóa", "Șterge"),
    "keep": ("Keep", "Giữ lại", "Păstrează"),
    "more_faces": ("and {count} more", "và {count} khuôn mặt nữa", "și încă {count}"),
}
