#include "harness/terminal/picture.h"

#include <gtest/gtest.h>

namespace parley::terminal {
namespace {

constexpr CanvasSize kSize{4, 2};

void ignore(const PixelChange&) {}

// A picture of white cells but for 1,0 (red) and 2,1 (blue).
std::string picture_frame() {
  std::string cells(std::size_t{3} * 4 * 2, '\xFF');
  cells.replace(3, 3, std::string("\xFF\0\0", 3));
  cells.replace(std::size_t{3} * (4 + 2), 3, std::string("\0\0\xFF", 3));
  return encode_header({FrameKind::picture, kSize, 10, 1, 0}) + cells;
}

std::string changes_frame(std::uint64_t sequence, std::vector<PixelChange> changes) {
  return encode_changes({FrameKind::changes, kSize, sequence, 1, 0}, changes);
}

// What a line says, without the sequences that set colours in between.
std::string letters(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      i = text.find('m', i);
    } else {
      plain += text[i];
    }
  }
  return plain;
}

TEST(Picture, ShowsTwoCellsInACharacter) {
  Picture picture;
  picture.take(picture_frame(), ignore);
  const std::string line = picture.draw({4, 1, 2, 1, 1});
  EXPECT_EQ(letters(line), "▀▀▀▀\n");
  EXPECT_NE(line.find("\x1b[38;2;255;0;0m\x1b[48;2;255;255;255m▀"), line.npos) << "red above white";
  EXPECT_NE(line.find("\x1b[38;2;255;255;255m\x1b[48;2;0;0;255m▀"), line.npos)
      << "white above blue";
}

TEST(Picture, LeavesBlankWhatIsOutside) {
  Picture picture;
  picture.take(picture_frame(), ignore);
  // Two characters around 0,0: to its left there is nothing, and above it neither.
  EXPECT_EQ(letters(picture.draw({2, 2, 0, 0, 1})), "  \n ▀\n");
  EXPECT_EQ(letters(picture.draw({2, 1, 0, 1, 1})), " ▀\n");
  EXPECT_EQ(letters(picture.draw({1, 3, 0, 2, 1})), "▄\n▀\n \n");
}

TEST(Picture, MixesThePaintedCellsThatShareAPlace) {
  Picture picture;
  picture.take(picture_frame(), ignore);
  EXPECT_EQ(picture.scale_to_fit(80, 24), 1U);
  EXPECT_EQ(picture.scale_to_fit(2, 1), 2U);
  EXPECT_EQ(picture.scale_to_fit(1, 1), 4U);
  EXPECT_NE(picture.draw({1, 1, 0, 4, 4}).find("38;2;127;0;127m"), std::string::npos);
}

TEST(Picture, FollowsChanges) {
  Picture picture;
  picture.take(picture_frame(), ignore);
  std::vector<PixelChange> told;
  picture.take(changes_frame(11, {{0, 0, 0x00FF00}, {3, 1, 0x0000FF}}),
               [&told](const PixelChange& change) { told.push_back(change); });
  EXPECT_EQ(told, (std::vector<PixelChange>{{0, 0, 0x00FF00}, {3, 1, 0x0000FF}}));
  EXPECT_EQ(picture.header().sequence, 11U);
  EXPECT_NE(picture.draw({4, 1, 2, 1, 1}).find("38;2;0;255;0m"), std::string::npos);
}

TEST(Picture, RefusesWhatDoesNotFollow) {
  Picture picture;
  EXPECT_THROW(picture.take(changes_frame(1, {{0, 0, 1}}), ignore), FrameError) << "no picture yet";
  picture.take(picture_frame(), ignore);
  EXPECT_THROW(picture.take(changes_frame(12, {{0, 0, 1}}), ignore), FrameError)
      << "one is missing";
  EXPECT_THROW(picture.take(changes_frame(11, {{0, 0, 1}}).substr(0, 30), ignore), FrameError);
}

}  // namespace
}  // namespace parley::terminal
