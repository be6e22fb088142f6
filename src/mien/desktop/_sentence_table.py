"""What other rooms say most often: the English sentence → Vietnamese, Romanian.

The sentence itself is the key, as in gettext; `{name}` stands for what changes. A test looks each up in the
source, so that none is left behind when its wording changes.
"""

from __future__ import annotations

SENTENCES: dict[str, tuple[str, str]] = {
    # of the camera
    "saved {name}": ("đã lưu {name}", "salvat {name}"),
    "deleted {count} saved {faces}": ("đã xóa {count} khuôn mặt đã lưu", "fețe salvate șterse: {count}"),
    "recorded {count} frames to {path}": (
        "đã ghi {count} khung hình vào {path}",
        "{count} cadre înregistrate în {path}",
    ),
    "the recording ended: {error}": ("việc ghi đã kết thúc: {error}", "înregistrarea s-a încheiat: {error}"),
    "nothing was recorded to {path}": (
        "không có gì được ghi vào {path}",
        "nimic nu a fost înregistrat în {path}",
    ),
    "the disk is too slow: faces were not saved": (
        "đĩa quá chậm: khuôn mặt không được lưu",
        "discul este prea lent: fețele nu au fost salvate",
    ),
    "{camera} gives no pictures; it is waited for, {seconds} s at most": (
        "{camera} không cho hình; đang chờ, nhiều nhất {seconds} giây",
        "{camera} nu dă imagini; este așteptată cel mult {seconds} s",
    ),
    "{camera} is back": ("{camera} đã trở lại", "{camera} a revenit"),
    "{camera} gives no pictures any more and did not come back within {seconds} s; check its cable or "
    "network, then "
    "start again": (
        "{camera} không còn cho hình và không trở lại trong {seconds} giây; hãy kiểm tra dây cáp hoặc "
        "mạng, rồi bắt đầu lại",
        "{camera} nu mai dă imagini și nu a revenit în {seconds} s; verifică cablul sau rețeaua, apoi "
        "pornește din nou",
    ),
    "{camera} opens, but gives no picture; close other programs that use it, or take it out and plug it "
    "in again": (
        "{camera} mở được nhưng không cho hình; hãy đóng các chương trình khác đang dùng nó, hoặc rút ra "
        "rồi cắm lại",
        "{camera} se deschide, dar nu dă nicio imagine; închide celelalte programe care o folosesc sau "
        "scoate-o și "
        "conecteaz-o din nou",
    ),
    "camera {number} cannot be opened; check that it is connected, that no other program uses it and that "
    "you may open it (mien doctor lists cameras)": (
        "không mở được máy quay {number}; hãy kiểm tra rằng nó được cắm, không chương trình nào khác đang "
        "dùng và bạn có quyền mở nó (mien doctor liệt kê các máy quay)",
        "camera {number} nu poate fi deschisă; verifică dacă este conectată, dacă nu o folosește alt program "
        "și dacă ai voie să o deschizi (mien doctor arată camerele)",
    ),
    "{address} sends no pictures; check the path in the address": (
        "{address} không gửi hình; hãy kiểm tra đường dẫn trong địa chỉ",
        "{address} nu trimite imagini; verifică calea din adresă",
    ),
    "{address} cannot be opened: {why}; check the address, the password and that the camera is on": (
        "không mở được {address}: {why}; hãy kiểm tra địa chỉ, mật khẩu và máy quay có bật không",
        "{address} nu poate fi deschisă: {why}; verifică adresa, parola și dacă este pornită camera",
    ),
    # of photos and films
    "there is no file or folder {path}; check the path": (
        "không có tệp hay thư mục {path}; hãy kiểm tra đường dẫn",
        "nu există fișierul sau dosarul {path}; verifică unde se află",
    ),
    "there is no {path}; check the path": (
        "không có {path}; hãy kiểm tra đường dẫn",
        "nu există {path}; verifică unde se află",
    ),
    "{path} has no pictures and no films; Mien looks for {known}": (
        "{path} không có ảnh và phim nào; Mien tìm {known}",
        "{path} nu conține fotografii sau filme; Mien caută {known}",
    ),
    "{path} is empty (0 bytes); it may not have been copied completely": (
        "{path} rỗng (0 byte); có thể nó chưa được sao chép hết",
        "{path} este gol (0 octeți); poate nu a fost copiat în întregime",
    ),
    "{path} is in no picture format known here; Mien reads {known}": (
        "{path} không thuộc định dạng ảnh nào được biết ở đây; Mien đọc {known}",
        "{path} nu are un format de imagine cunoscut aici; Mien citește {known}",
    ),
    "{path} is damaged or incomplete: {why}; get the file again": (
        "{path} bị hỏng hoặc thiếu: {why}; hãy lấy lại tệp",
        "{path} este deteriorat sau incomplet: {why}; obține din nou fișierul",
    ),
    "{path} is a film and no photo; give it a name that ends in {suffix} and it is read as a film (in "
    "Python by "
    "mien.analyze_video)": (
        "{path} là phim, không phải ảnh; hãy đặt tên kết thúc bằng {suffix} để nó được đọc như phim",
        "{path} este un film, nu o fotografie; dă-i un nume care se termină în {suffix} și va fi citit "
        "ca film",
    ),
    "{path} is a photo and no film; give it a name that ends in {suffix} and it is read as one": (
        "{path} là ảnh, không phải phim; hãy đặt tên kết thúc bằng {suffix} để nó được đọc như ảnh",
        "{path} este o fotografie, nu un film; dă-i un nume care se termină în {suffix} și va fi citită "
        "ca fotografie",
    ),
    "{path} is no film that can be read: Mien reads {known}, and a recording that was cut off before its "
    "index was "
    "written has to be repaired first": (
        "{path} không phải là phim đọc được: Mien đọc {known}, và bản ghi bị ngắt trước khi chỉ mục được "
        "ghi phải được "
        "sửa trước",
        "{path} nu este un film care poate fi citit: Mien citește {known}, iar o înregistrare întreruptă "
        "înainte de "
        "scrierea indexului trebuie întâi reparată",
    ),
    "{path} has no pictures in it, {what}": (
        "{path} không có hình ảnh bên trong",
        "{path} nu conține imagini",
    ),
    "{path} holds no frames; it may not have been copied whole": (
        "{path} không có khung hình nào; có thể nó chưa được sao chép hết",
        "{path} nu conține niciun cadru; poate nu a fost copiat în întregime",
    ),
    "none of the frames in {path} can be decoded; it is damaged": (
        "không giải mã được khung hình nào trong {path}; nó bị hỏng",
        "niciun cadru din {path} nu poate fi decodat; este deteriorat",
    ),
    "{path} is encoded as {codec}; Mien reads {known}": (
        "{path} được mã hóa bằng {codec}; Mien đọc {known}",
        "{path} este codificat ca {codec}; Mien citește {known}",
    ),
    # of what is written
    "{path} cannot be written: {why}; {advice}": (
        "không ghi được {path}: {why}; hãy giải phóng chỗ trống hoặc chọn nơi khác",
        "{path} nu poate fi scris: {why}; fă loc sau alege alt loc",
    ),
    "{path} is the film that is read; name another file": (
        "{path} chính là phim đang được đọc; hãy đặt tên tệp khác",
        "{path} este chiar filmul care se citește; numește alt fișier",
    ),
    "{path} is the photo itself; name another file": (
        "{path} chính là tấm ảnh đó; hãy đặt tên tệp khác",
        "{path} este chiar fotografia; numește alt fișier",
    ),
    "the film is not read yet; wait until it is": (
        "phim chưa được đọc xong; hãy đợi",
        "filmul nu este citit încă; așteaptă",
    ),
    "the photo is not read yet; wait until it is": (
        "ảnh chưa được đọc xong; hãy đợi",
        "fotografia nu este citită încă; așteaptă",
    ),
    "the film has no frame at {seconds} s": (
        "phim không có khung hình nào ở giây {seconds}",
        "filmul nu are niciun cadru la {seconds} s",
    ),
    "cancelled": ("đã hủy", "anulat"),
    # of models
    "model file {path} {problem}; {hint}give the path of an .onnx file or the name of a model": (
        "không dùng được tệp mô hình {path}; hãy cho đường dẫn của tệp .onnx hoặc tên của một mô hình",
        "fișierul de model {path} nu poate fi folosit; dă calea unui fișier .onnx sau numele unui model",
    ),
}
